import { type Document, ObjectId } from 'mongodb';
import { describe, expect, it } from 'vitest';

import type { RunStore } from '../../../src/run/run.port.ts';
import { createRunStore } from '../../../src/run/run.store.ts';
import type { Seen } from '../../../src/run/run-document.port.ts';
import { answerLost, createDatabase, openStore } from '../../simulation/store/index.ts';
import { runWrites } from '../../support/run-calls.ts';
import { noted } from '../database/noted.ts';
import { NOW } from '../database/updates.ts';

const id = new ObjectId();
const OWNER = { attempt: 'a'.repeat(24), host: 'eb3' };
const FENCE = { id, ...OWNER };
const NEW: Seen = { id, number: 1, state: null, host: null, time: null, attempt: null };
const DONE: Seen = { ...NEW, state: 'done' };

type Verb = (store: RunStore) => Promise<unknown>;

/** The answer to a verb whose first update is lost, `carried out` or replaced by another's. */
async function answer(before: Document, verb: Verb, first: 'carried out' | Document) {
  let lost = false;
  const database = createDatabase(() => NOW.getTime());
  const store = openStore(database, {
    call: async (operation, carryOut) => {
      if (lost || operation !== 'updating runs') return carryOut();
      lost = true;
      if (first === 'carried out') await carryOut();
      else await database.runs.updateOne({ _id: id }, { $set: first });
      throw answerLost(operation);
    },
  });
  await database.runs.insertOne({ _id: id, number: 1, start: NOW, ...before });
  const given = await verb(store.runs);
  expect(lost).toBe(true);
  return given;
}

const WRITES = runWrites({
  ...{ busy: FENCE, considering: FENCE, waiting: NEW, held: NEW, done: DONE, doneBy: FENCE },
  now: NOW,
});
const { claim, markBusy: busy, mendStatus: mend } = WRITES;
const conclude: Verb = async (runs) => (await runs.conclude(FENCE, { kind: 'done' })).kind;
const settle: Verb = (runs) => runs.settle(NEW, 'eb4', { kind: 'abandoned', reason: 'r' });
const retry: Verb = (runs) => runs.retry(NEW, 'eb4', 3);

const considering = { bootstrax: { state: 'considering', ...OWNER } };
const running = { bootstrax: { state: 'busy', ...OWNER } };

describe('a write whose answer was lost, but that landed', () => {
  it.each<[string, Verb, Document, string]>([
    ['claim', claim, {}, 'claimed'],
    ['markBusy', busy, considering, 'landed'],
    ['heartbeat', WRITES.heartbeat, running, 'landed'],
    ['unregisterData', WRITES.unregisterData, running, 'landed'],
    ['conclude', conclude, running, 'landed'],
    ['settle', settle, {}, 'landed'],
    ['retry', retry, {}, 'landed'],
    ['hold', WRITES.hold, {}, 'landed'],
    ['release', WRITES.release, { tags: [{ name: 'hold-processing' }] }, 'landed'],
    ['mendStatus', mend, { bootstrax: { state: 'done' } }, 'landed'],
  ])('%s is recognised', async (_, verb, before, expected) => {
    expect(await answer(before, verb, 'carried out')).toBe(expected);
  });
});

describe('a write whose answer was lost and that another has overtaken', () => {
  const same = (fields: Document, change: Document) => ({ bootstrax: { ...fields, ...change } });
  const claimed = { state: 'considering', ...OWNER };
  const begun = { state: 'busy', ...OWNER };
  const settled = { state: 'abandoned', outcome: 'abandoned', host: 'eb4' };
  const retried = { state: 'failed', outcome: 'requeued', host: 'eb4', n_failures: 3 };

  it.each<[string, Verb, Document, Document, string]>([
    ['claim', claim, {}, same(claimed, { attempt: 'b' }), 'lost'],
    ['claim', claim, {}, same(claimed, { host: 'eb4' }), 'lost'],
    ['busy', busy, considering, same(begun, { attempt: 'b' }), 'superseded'],
    ['busy', busy, considering, same(begun, { host: 'eb4' }), 'superseded'],
    ['busy', busy, considering, same(begun, { state: 'done' }), 'superseded'],
    ['conclude', conclude, running, same({ state: 'done', last_attempt: 'b' }, {}), 'superseded'],
    [
      'conclude',
      conclude,
      running,
      same({ state: 'odd', last_attempt: OWNER.attempt, attempt: OWNER.attempt }, {}),
      'superseded',
    ],
    ['settle', settle, {}, same(settled, { state: 'failed' }), 'changed'],
    ['settle', settle, {}, same(settled, { outcome: 'failed' }), 'changed'],
    ['settle', settle, {}, same(settled, { host: 'eb5' }), 'changed'],
    ['settle', settle, {}, same(settled, { attempt: 'b' }), 'changed'],
    ['retry', retry, {}, same(retried, { state: 'done' }), 'changed'],
    ['retry', retry, {}, same(retried, { outcome: 'failed' }), 'changed'],
    ['retry', retry, {}, same(retried, { host: 'eb5' }), 'changed'],
    ['retry', retry, {}, same(retried, { n_failures: 2 }), 'changed'],
    ['retry', retry, {}, same(retried, { attempt: 'b' }), 'changed'],
    ['mend', mend, { bootstrax: { state: 'done' } }, { status: 'transferred' }, 'changed'],
  ])('%s is refused', async (...[, verb, before, theirs, expected]) => {
    expect(await answer(before, verb, theirs)).toBe(expected);
  });

  it('cannot be told from one that another did in just the same way', async () => {
    expect(await answer({}, settle, same(settled, {}))).toBe('landed');
    expect(await answer({}, retry, same(retried, {}))).toBe('landed');
  });
});

describe('the status left after done', () => {
  const after = (status: unknown) =>
    answer({ ...running, status }, (runs) => runs.conclude(FENCE, { kind: 'done' }), 'carried out');

  it.each<[unknown, string | null]>([
    [null, null],
    ['needs_upload', null],
    ['eb_finished_pre', null],
    ['transferred', 'transferred'],
    [5, '5'],
  ])('%j: %j', async (status, statusLeft) => {
    expect(await after(status)).toEqual({ kind: 'landed', statusLeft });
  });

  it('matters to no other conclusion', async () => {
    const requeued = { kind: 'requeued', reason: null, delaySeconds: 1 } as const;
    const verb: Verb = (runs) => runs.conclude(FENCE, requeued);
    expect(await answer({ ...running, status: 'x' }, verb, 'carried out')).toEqual({
      kind: 'landed',
      statusLeft: null,
    });
  });
});

describe('each verb', () => {
  const asked = async (verb: Verb) => {
    const { calls, collection } = noted([], 1);
    const unused = () => Promise.reject(new Error('not asked'));
    await verb(createRunStore(collection, unused, unused));
    return calls.map(([method, name]) => (method === 'find' ? 'find' : String(name)));
  };

  it.each<[string[], Verb]>([
    [['runs.claim'], claim],
    [['runs.busy'], busy],
    [['runs.heartbeat'], WRITES.heartbeat],
    [['runs.unregister'], WRITES.unregisterData],
    [['runs.withdraw', 'runs.withdraw'], WRITES.withdrawData],
    [[], (runs) => runs.withdrawData(id, 'eb3', [])],
    [['runs.conclude', 'find'], conclude],
    [['runs.settle'], settle],
    [['runs.retry'], retry],
    [['runs.renumber'], WRITES.renumber],
    [['runs.mend_status'], mend],
    [['runs.hold'], WRITES.hold],
    [['runs.release'], WRITES.release],
  ])('asks for %j', async (names, verb) => {
    expect(await asked(verb)).toEqual(names);
  });

  it('holds only what is not held, and releases only what is', async () => {
    const { calls, collection } = noted();
    const unused = () => Promise.reject(new Error('not asked'));
    const store = createRunStore(collection, unused, unused);
    await store.hold(NEW, 'shifter');
    await store.release(NEW);
    expect(calls.map((call) => call[2])).toMatchObject([
      { _id: id, 'bootstrax.state': { $eq: null }, tags: { $nin: ['hold-processing'] } },
      { _id: id, 'bootstrax.state': { $eq: null }, 'tags.name': 'hold-processing' },
    ]);
  });
});

it('the queue is counted by state, and due is what is past', async () => {
  const database = createDatabase(() => NOW.getTime());
  const { runs } = openStore(database);
  const waiting = (next_retry: unknown) => ({ state: 'failed', n_failures: 1, next_retry });
  const states = [
    { state: null },
    { state: 'considering' },
    { state: 'busy' },
    { state: 'busy' },
    { state: 'done' },
    waiting(new Date(NOW.getTime() - 1)),
    waiting(NOW),
    waiting([new Date(NOW.getTime() - 1)]),
  ];
  for (const bootstrax of states) await database.runs.insertOne({ bootstrax });
  await database.runs.insertOne({ tags: [{ name: 'hold-processing' }] });
  expect(await runs.queueCounts(NOW, 10)).toEqual({
    new: 1,
    held: 1,
    considering: 1,
    busy: 2,
    waiting: 3,
    due: 1,
  });
});
