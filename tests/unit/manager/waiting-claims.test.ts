import { ObjectId } from 'mongodb';
import { beforeEach, describe, expect, it } from 'vitest';

import { AttemptBook } from '../../../src/attempt/attempt-book.ts';
import type { Ended } from '../../../src/attempt/outcome.pure.ts';
import type { Runner } from '../../../src/attempt/runner.ts';
import { defaultRules } from '../../../src/infra/config/rules.pure.ts';
import { WaitingClaims } from '../../../src/manager/waiting-claims.ts';
import type { Environment } from '../../../src/ports/environment.ts';

let book: AttemptBook;
let seconds: number;
let drained: string | null;
let isBetterHere: boolean;
/** What each renewal was of, and what it said. */
let renewed: { runs: number; text: string }[];
let reads: number;
let ends: Ended[];
let beat: () => Promise<void>;

function waits(number: number, reason: string, phase = 'waiting_for_place', ofDebt = false): void {
  const id = new ObjectId();
  const where = { executor: 'slurm', cluster: '', job: String(number), node: null };
  book.add({
    ...{ phase, ofDebt, ending: false, on: 'slurm', run: { number } },
    fence: { id, attempt: String(number), host: 'eb' },
    reach: { where: { ...where, state: 'PENDING', reason } },
    reading: () => () => (reads += 1),
    end: (cause: Ended) => ends.push(cause),
  } as unknown as Runner);
}

beforeEach(() => {
  book = new AttemptBook();
  [seconds, drained, isBetterHere, renewed, reads, ends] = [0, null, false, [], 0, []];
  const env = {
    ...{ host: 'eb', rules: defaultRules, clock: { monotonicSeconds: () => seconds } },
    tasks: { every: (_: unknown, work: () => Promise<void>) => void (beat = work) },
    store: {
      runs: {
        renewWaiting: (fences: unknown[], text: string) => {
          renewed.push({ runs: fences.length, text });
          return Promise.resolve();
        },
        byIds: () => Promise.resolve([]),
      },
      debts: {
        renewWaiting: (fences: unknown[]) => {
          renewed.push({ runs: fences.length, text: 'debts' });
          return Promise.resolve();
        },
        byIds: () => Promise.resolve([]),
      },
    },
  } as unknown as Environment;
  const places = { isBetterHere: (_: unknown, waited: number) => isBetterHere && waited >= 60 };
  new WaitingClaims(env, { book, places, drained: () => drained }).begin();
});

describe('runs whose jobs wait', () => {
  it('are renewed with one write for all that wait for the same, and read with one', async () => {
    for (let number = 1; number <= 200; number++)
      waits(number, number > 3 ? 'Priority' : 'Resources');
    waits(300, 'None', 'running');
    await beat();
    expect(renewed).toEqual([
      { runs: 3, text: 'its job in Slurm to begin (PENDING, Resources)' },
      { runs: 197, text: 'its job in Slurm to begin (PENDING, Priority)' },
    ]);
    expect(reads).toBe(200);
    expect(ends).toEqual([]);
  });

  it('are renewed with one write for all debts, too, and read with one', async () => {
    for (let number = 1; number <= 200; number++)
      waits(number, 'Priority', 'waiting_for_place', true);
    await beat();
    expect(renewed).toEqual([{ runs: 200, text: 'debts' }]);
    expect(reads).toBe(200);
  });

  it('go back to the queue, all of them, when the host is drained', async () => {
    waits(1, 'Priority');
    waits(2, 'Priority');
    drained = 'disks are changed';
    await beat();
    expect(ends).toEqual(
      [1, 2].map(() => ({ kind: 'manager', reason: 'eb begins nothing more: disks are changed' })),
    );
  });

  it('are taken back one after the other where a place of the host is free', async () => {
    waits(1, 'Priority');
    waits(2, 'Priority');
    isBetterHere = true;
    await beat();
    expect(ends).toEqual([]);
    seconds = 60;
    await beat();
    expect(ends).toEqual([{ kind: 'manager', reason: 'a place on eb is free' }]);
    seconds = 90;
    await beat();
    expect(ends).toHaveLength(1);
  });
});
