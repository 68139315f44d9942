import { type Document, ObjectId } from 'mongodb';
import { describe, expect, it } from 'vitest';

import type { Collection } from '../../../../src/infra/mongo/collection.ts';
import { type CompareAndSet, compareAndSet } from '../../../../src/infra/mongo/compare-and-set.ts';
import { StoreError } from '../../../../src/infra/mongo/store-error.ts';
import { BrokenAssertion } from '../../../../src/infra/values/assertion.pure.ts';

const id = new ObjectId();
const lost = () => new StoreError('unreachable', 'lost', { uncertain: true, transient: true });
const stepDown = () => new StoreError('unreachable', 'step-down', { transient: true });
const slow = () => new StoreError('unreachable', 'no acknowledgement', { uncertain: true });
const refused = () => new StoreError('refused', 'no');

interface Script {
  /** Answers to the updates, in order; the last one stays. */
  updates: (number | Error)[];
  /** What is read after an answer was lost; null: the document is gone. */
  reads?: (Document | null | Error)[];
  repeated?: boolean;
  expected?: Document;
}

/** Runs the operation against scripted answers; `calls` tells what was asked. */
async function carriedOut({
  updates,
  reads = [{ mine: false }],
  repeated,
  expected = { state: 'free' },
}: Script) {
  const calls: unknown[][] = [];
  const next = <T>(answers: T[]): T => (answers.length > 1 ? answers.shift()! : answers[0]!);
  const collection = {
    updateOne: (...call: unknown[]) => {
      calls.push(['update', ...call]);
      const answer = next(updates);
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
    find: (...call: unknown[]) => {
      calls.push(['find', ...call]);
      const answer = next(reads);
      if (answer instanceof Error) return Promise.reject(answer);
      return Promise.resolve(answer === null ? [] : [answer]);
    },
    pause: (milliseconds: number) => {
      calls.push(['pause', milliseconds]);
      return Promise.resolve();
    },
  } as unknown as Collection;
  const operation: CompareAndSet = {
    write: 'runs.claim',
    id,
    expected,
    update: [{ $set: { state: 'taken' } }],
    projection: { mine: 1 },
    landed: (document) => document.mine === true,
    ...(repeated === undefined ? {} : { repeated }),
  };
  const answer = await compareAndSet(collection, operation).catch((error: unknown) => error);
  return { answer, calls, steps: calls.map(([name, value]) => (name === 'pause' ? value : name)) };
}

describe('a conditional update', () => {
  it('without a condition is a mistake, and is not written', async () => {
    const { answer, calls } = await carriedOut({ updates: [1], expected: {} });
    expect(answer).toBeInstanceOf(BrokenAssertion);
    expect(calls).toEqual([]);
  });

  it('asks by id and condition, once', async () => {
    const { answer, calls } = await carriedOut({ updates: [1] });
    expect(answer).toBe(true);
    const filter = { state: 'free', _id: id };
    expect(calls).toEqual([['update', 'runs.claim', filter, [{ $set: { state: 'taken' } }]]]);
  });

  it('that does not match has not happened, and nothing is read', async () => {
    const { answer, steps } = await carriedOut({ updates: [0] });
    expect(answer).toBe(false);
    expect(steps).toEqual(['update']);
  });

  it('whose answer was lost is looked for before it is tried again', async () => {
    const { answer, calls } = await carriedOut({ updates: [lost()], reads: [{ mine: true }] });
    expect(answer).toBe(true);
    expect(calls.slice(1)).toEqual([['find', { _id: id }, { projection: { mine: 1 }, limit: 1 }]]);
  });

  it('that did not land is tried again after a wait', async () => {
    const { answer, steps } = await carriedOut({ updates: [lost(), 1] });
    expect(answer).toBe(true);
    expect(steps).toEqual(['update', 'find', 100, 'update']);
  });

  it('that lands late, between the look and the second try, counts', async () => {
    const { answer, steps } = await carriedOut({
      updates: [lost(), 0],
      reads: [{ mine: false }, { mine: true }],
    });
    expect(answer).toBe(true);
    expect(steps).toEqual(['update', 'find', 100, 'update', 'find']);
  });

  it('that another has overtaken has not happened', async () => {
    const { answer, steps } = await carriedOut({ updates: [lost(), 0] });
    expect(answer).toBe(false);
    expect(steps).toEqual(['update', 'find', 100, 'update', 'find']);
  });

  it('of a document that is gone has not happened', async () => {
    const { answer } = await carriedOut({ updates: [lost(), 0], reads: [null] });
    expect(answer).toBe(false);
  });

  it('that was certainly not carried out is not taken for one that was', async () => {
    // A later try that does not match then means what it says.
    const { answer, steps } = await carriedOut({
      updates: [stepDown(), 0],
      reads: [{ mine: false }, { mine: true }],
    });
    expect(answer).toBe(false);
    expect(steps).toEqual(['update', 'find', 100, 'update']);
  });

  it('stays uncertain after a later certain failure', async () => {
    const { answer } = await carriedOut({
      updates: [lost(), stepDown(), 0],
      reads: [{ mine: false }, { mine: false }, { mine: true }],
    });
    expect(answer).toBe(true);
  });

  it('is looked for also if only its acknowledgement failed', async () => {
    const { answer, steps } = await carriedOut({ updates: [slow()], reads: [{ mine: true }] });
    expect(answer).toBe(true);
    expect(steps).toEqual(['update', 'find']);
  });

  it('gives up after two waits with the last failure', async () => {
    const { answer, steps } = await carriedOut({ updates: [lost()] });
    expect(answer).toMatchObject({ message: 'lost', uncertain: true });
    expect(steps).toEqual(['update', 'find', 100, 'update', 'find', 400, 'update', 'find']);
  });

  it('that is refused is not repeated', async () => {
    const { answer, steps } = await carriedOut({ updates: [refused()] });
    expect(answer).toMatchObject({ kind: 'refused' });
    expect(steps).toEqual(['update']);
  });

  it('fails with what the look fails with', async () => {
    const { answer } = await carriedOut({ updates: [lost()], reads: [refused()] });
    expect(answer).toMatchObject({ kind: 'refused' });
  });

  it('does not hide a defect', async () => {
    for (const defect of [new TypeError('x'), Object.assign(new Error(), { uncertain: true })]) {
      const { answer, steps } = await carriedOut({ updates: [defect] });
      expect(answer).toBe(defect);
      expect(steps).toEqual(['update']);
    }
  });

  it('tried before without an answer is looked for although nothing was lost now', async () => {
    const again = await carriedOut({ updates: [0], reads: [{ mine: true }], repeated: true });
    expect(again.answer).toBe(true);
    expect(again.steps).toEqual(['update', 'find']);
    expect((await carriedOut({ updates: [0], repeated: true })).answer).toBe(false);
    const first = await carriedOut({ updates: [0], reads: [{ mine: true }], repeated: false });
    expect(first.answer).toBe(false);
  });
});
