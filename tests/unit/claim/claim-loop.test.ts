import { ObjectId } from 'mongodb';
import { beforeEach, describe, expect, test } from 'vitest';

import { AttemptBook } from '../../../src/attempt/attempt-book.ts';
import type { AttemptPhase } from '../../../src/attempt/attempt-phases.pure.ts';
import type { Runner } from '../../../src/attempt/runner.ts';
import { Claims } from '../../../src/claim/claim-loop.ts';
import { SELDOM } from '../../../src/claim/poll-times.ts';
import { defaultRules } from '../../../src/infra/config/rules.pure.ts';
import type { Environment } from '../../../src/ports/environment.ts';
import type { RunHint } from '../../../src/run/run.port.ts';
import { World } from '../features/actions/world.ts';

const INTERVAL = 10;

/** Claims of a host with one place, on a clock that is set by hand. */
class Host {
  readonly world = new World();
  readonly book = new AttemptBook();
  readonly claims: Claims;
  readonly taken: number[] = [];
  /** How often the queue was looked at. */
  looks = 0;
  /** How often failed runs were looked for. */
  looksForRetries = 0;
  /** The database does not answer. */
  away = false;
  rank = 0;

  constructor() {
    const { world } = this;
    const log = Object.fromEntries(
      ['info', 'warn', 'error', 'debug'].map((level) => [level, () => undefined]),
    );
    const serverTime = () => {
      this.looks += 1;
      return this.away ? Promise.reject(new Error('away')) : world.store.serverTime();
    };
    const retryDue: Environment['store']['runs']['retryDue'] = (query) => {
      this.looksForRetries += 1;
      return world.store.runs.retryDue(query);
    };
    const store = { ...world.store, serverTime, runs: { ...world.store.runs, retryDue } };
    const env = {
      ...{ host: 'eb3.lab', role: 'primary', primaries: [], slots: 1, rules: defaultRules, log },
      ...{ store, attempts: { newId: () => 'a'.repeat(24) } },
      clock: { monotonicSeconds: () => world.nowMs / 1000 },
      executor: { startsAtOnce: () => true },
      left: { isLeft: () => false },
      ...{ cluster: null, jobs: null },
    } as unknown as Environment;
    const accepting = { ok: true } as const;
    this.claims = new Claims(
      env,
      {
        book: this.book,
        host: { slots: 1, check: () => Promise.resolve({ accepting } as never) },
        debts: { giveWayTo: () => false },
        fleet: { claimRank: () => this.rank, warmPlace: () => Promise.resolve(null) },
      },
      { take: ({ run }) => void this.taken.push(run.number), ring: () => undefined },
    );
  }

  pass(seconds: number): void {
    this.world.nowMs += seconds * 1000;
  }

  /** Whether a turn has looked at the queue, and when the next one is due. */
  async turn(streaming = true): Promise<{ looked: boolean; seconds: number }> {
    const before = this.looks;
    const seconds = await this.claims.turn(INTERVAL, streaming);
    // The clock of the world goes on a little with each question.
    return { looked: this.looks > before, seconds: Math.round(seconds) };
  }

  /** A failed run that falls due after so long. */
  async waiting(seconds: number): Promise<void> {
    const next_retry = new Date(this.world.nowMs + seconds * 1000);
    const start = new Date(this.world.nowMs - 60_000);
    await this.world.insertRun(1, { state: 'failed', n_failures: 1, next_retry }, { start });
  }
}

let host = new Host();
beforeEach(() => {
  host = new Host();
});

describe('the queue', () => {
  test('is not asked about again within an interval while a change stream is there', async () => {
    expect(await host.turn()).toEqual({ looked: true, seconds: INTERVAL });
    host.pass(4);
    expect(await host.turn()).toEqual({ looked: false, seconds: INTERVAL - 4 });
    host.pass(6);
    expect((await host.turn()).looked).toBe(true);
  });

  test('is left alone for longer while the change stream answers, but not for ever', async () => {
    await host.turn();
    for (let waited = 0; waited < SELDOM * INTERVAL - 1; waited++) {
      host.pass(1);
      host.claims.heard();
      expect((await host.turn()).looked, `after ${waited + 1} s`).toBe(false);
    }
    host.pass(1);
    host.claims.heard();
    expect((await host.turn()).looked).toBe(true);
  });

  test('is looked at at once when something has changed', async () => {
    await host.turn();
    host.claims.changed();
    expect((await host.turn()).looked).toBe(true);
    expect((await host.turn()).looked).toBe(false);
  });

  test('is looked at in each turn where no change stream tells of anything', async () => {
    await host.turn(false);
    expect((await host.turn(false)).looked).toBe(true);
  });

  test('is looked at seldom by a host that others are to go before', async () => {
    host.rank = 1;
    expect((await host.turn()).seconds).toBe(SELDOM * INTERVAL);
    host.pass(SELDOM * INTERVAL - 1);
    expect((await host.turn()).looked).toBe(false);
    host.pass(1);
    expect((await host.turn()).looked).toBe(true);
  });

  test('is looked at again at once after a look that the database did not answer', async () => {
    await host.turn();
    host.away = true;
    host.claims.changed();
    await expect(host.turn()).rejects.toThrow('away');
    host.away = false;
    expect((await host.turn()).looked).toBe(true);
    expect((await host.turn()).looked).toBe(false);
  });

  test('is looked at when a run falls due, whatever the change stream answers', async () => {
    await host.waiting(3);
    expect((await host.turn()).seconds).toBe(3);
    host.pass(2);
    host.claims.heard();
    expect(await host.turn()).toEqual({ looked: false, seconds: 1 });
    host.pass(1);
    host.claims.heard();
    expect((await host.turn()).looked).toBe(true);
    expect(host.taken).toEqual([1]);
  });
});

describe('a new run that the change stream names', () => {
  const hint = (of: Pick<RunHint, 'kind' | 'state' | 'number'>): RunHint => ({
    ...{ id: new ObjectId(), touched: [] },
    ...of,
  });
  const inserted = hint({ kind: 'insert', state: null, number: 7 });

  beforeEach(async () => {
    await host.turn();
    await host.world.insertRun(7, null);
  });

  test('is claimed without another look at failed runs, whose times are known', async () => {
    expect(host.claims.hinted(inserted)).toBe(true);
    await host.turn();
    expect(host.taken).toEqual([7]);
    expect(host.looksForRetries).toBe(1);
  });

  test('is looked at together with failed runs if something else has changed as well', async () => {
    const failed = hint({ kind: 'update', state: 'failed', number: 6 });
    host.claims.hinted(failed);
    host.claims.hinted(inserted);
    await host.turn();
    expect(host.looksForRetries).toBe(2);
  });

  test('does not hide a failed run that changes while the queue is looked at', async () => {
    host.claims.hinted(inserted);
    const turn = host.turn();
    host.claims.changed();
    await turn;
    await host.turn();
    expect(host.looksForRetries).toBe(2);
  });

  test('goes behind a failed run that waits for longer than runs may', async () => {
    const long = new Date(host.world.nowMs - 1000 * defaultRules.claim.overdueSeconds - 60_000);
    const overdue = { state: 'failed', n_failures: 1, next_retry: long };
    await host.world.insertRun(1, overdue, { start: long });
    host.claims.changed();
    host.claims.hinted(inserted);
    await host.turn();
    expect(host.taken[0]).toBe(1);
  });
});

describe('a host that has no use for news of runs', () => {
  const runner = (phase: AttemptPhase, ofDebt = false) =>
    ({ phase, ofDebt, on: 'local', fence: { attempt: phase } }) as unknown as Runner;

  test('rests while its place is taken, and no longer', () => {
    expect(host.claims.rest()).toBeNull();
    host.book.add(runner('running'));
    const rest = host.claims.rest();
    expect(rest?.aborted).toBe(false);
    expect(host.claims.rest()).toBe(rest);
    host.claims.placeFree();
    expect(rest?.aborted).toBe(true);
    expect(host.claims.rest()).not.toBe(rest);
  });

  test.each([
    ['the end of a run is awaited', runner('waiting_for_end')],
    ['what it does gives way to any run', runner('running', true)],
  ])('does not rest while %s', (_what, busy) => {
    host.book.add(busy);
    expect(host.claims.rest()).toBeNull();
  });
});
