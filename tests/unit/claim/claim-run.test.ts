import fc from 'fast-check';
import type { Document } from 'mongodb';
import { describe, expect, it } from 'vitest';

import { AttemptBook } from '../../../src/attempt/attempt-book.ts';
import { type Bookmarks, candidatePages } from '../../../src/claim/candidates.ts';
import { claimTurn, type TurnMeans } from '../../../src/claim/claim-run.ts';
import { NoticedRuns } from '../../../src/claim/noticed-runs.ts';
import { PlacesHere } from '../../../src/claim/places-here.ts';
import type { HostRole } from '../../../src/infra/config/host-role.pure.ts';
import { defaultRules } from '../../../src/infra/config/rules.pure.ts';
import type { Environment } from '../../../src/ports/environment.ts';
import { World } from '../features/actions/world.ts';

const HOST = 'eb3.lab';
const HOUR = 3600;
/** Turns within which every run that may be taken is taken, whatever stands in front. */
const MOST_TURNS = 40;

/** Documents that no host takes, or not this one; `hours`: since the run began or fell due. */
const IN_FRONT: Record<string, (due: Date) => { bootstrax: unknown; fields?: Document }> = {
  'a held new run': () => ({
    bootstrax: { state: null },
    fields: { tags: [{ name: 'hold-processing' }] },
  }),
  'a held failed run': (due) => ({
    bootstrax: { state: 'failed', n_failures: 1, next_retry: due },
    fields: { tags: [{ name: 'x' }, { name: 'hold-processing' }] },
  }),
  'an abandoned new run': () => ({
    bootstrax: { state: null },
    fields: { tags: [{ name: 'abandon' }] },
  }),
  'an abandoned failed run': (due) => ({
    bootstrax: { state: 'failed', n_failures: 1, next_retry: due },
    fields: { tags: [{ name: 'abandon' }] },
  }),
  'a run of no known state': () => ({ bootstrax: 'busy' }),
  'a list for a state': () => ({ bootstrax: { state: [null] } }),
  'a malformed new run': () => ({ bootstrax: { state: null }, fields: { detectors: 5 } }),
  'a malformed failed run': (due) => ({
    bootstrax: { state: 'failed', n_failures: 1, next_retry: due },
    fields: { data: 'odd' },
  }),
  'a run that was set aside': () => ({ bootstrax: { state: 'failed', outcome: 'set_aside' } }),
  'a run that was given up': (due) => ({
    bootstrax: { state: 'failed', n_failures: 10, next_retry: due },
  }),
  'a run that falls due later': (due) => ({
    bootstrax: { state: 'failed', n_failures: 1, next_retry: new Date(due.getTime() + 864e7) },
  }),
};
const KINDS = Object.keys(IN_FRONT);

class Queue {
  readonly world = new World();
  readonly #means: TurnMeans;
  readonly #env: Environment;
  readonly taken: number[] = [];
  /** So many free hosts try before this one. */
  rank = 0;
  /** It may leave the rest to them, and has wanted to so often. */
  leaves = true;
  left = 0;
  /** Claims that come too late. */
  late = 0;
  #number = 1;

  constructor(role: HostRole = 'primary') {
    const log = Object.fromEntries(
      ['info', 'warn', 'error', 'debug'].map((level) => [level, () => undefined]),
    );
    this.#env = {
      ...{ host: HOST, role, primaries: [], slots: 1, rules: defaultRules, log },
      ...{ store: this.#store(), attempts: { newId: () => 'a'.repeat(24) } },
      clock: { monotonicSeconds: () => this.world.nowMs / 1000 },
      left: { isLeft: () => false },
      ...{ cluster: null, jobs: null },
    } as unknown as Environment;
    const book = new AttemptBook();
    this.#means = {
      ...{
        book,
        places: new PlacesHere(this.#env, book, () => 1),
        notices: new NoticedRuns(),
        bookmarks: new Map(),
      },
      accepting: () => Promise.resolve({ ok: true }),
      rank: () => this.rank,
      leave: () => {
        this.left++;
        return this.leaves;
      },
      take: ({ run }) => void this.taken.push(run.number),
    };
  }

  #store(): Environment['store'] {
    const { store } = this.world;
    const claim: typeof store.runs.claim = (seen, owner) => {
      if (this.late === 0) return store.runs.claim(seen, owner);
      this.late--;
      return Promise.resolve('lost');
    };
    return { ...store, runs: { ...store.runs, claim } };
  }

  /** Runs that began, or fell due, so many hours ago. */
  async insert(bootstrax: unknown, hoursAgo: number, fields: Document = {}): Promise<number> {
    const start = new Date(this.world.nowMs - hoursAgo * HOUR * 1000);
    const number = this.#number++;
    await this.world.insertRun(number, bootstrax as Document, { start, ...fields });
    return number;
  }

  async inFront(kind: string, hoursAgo: number): Promise<void> {
    const { bootstrax, fields } = IN_FRONT[kind]!(
      new Date(this.world.nowMs - hoursAgo * HOUR * 1000),
    );
    await this.insert(bootstrax, hoursAgo, fields);
  }

  async turns(most: number, enough: () => boolean): Promise<void> {
    for (let turn = 0; turn < most && !enough(); turn++) {
      await claimTurn(this.#env, { withinSeconds: 30 }, this.#means);
      this.world.laterBy(1);
    }
  }
}

const due = (queue: Queue, hoursAgo: number) => ({
  ...{ state: 'failed', n_failures: 1 },
  next_retry: new Date(queue.world.nowMs - hoursAgo * HOUR * 1000),
});

describe('a look that is bounded starves nothing', () => {
  it.each(KINDS)(
    '%s, 40 times in front, keeps neither a retry nor a new run back',
    async (kind) => {
      const queue = new Queue();
      for (let i = 0; i < 40; i++) await queue.inFront(kind, 1 + i / 100);
      const retry = await queue.insert(due(queue, 2), 2);
      const fresh = await queue.insert({ state: null }, 3);
      await queue.turns(2, () => queue.taken.length === 2);
      expect(queue.taken.sort()).toEqual([retry, fresh]);
    },
  );

  it.each(['never', 'backup'] as const)(
    'runs for other hosts in front of a host that is %s keep back none that it may take',
    async (role) => {
      const queue = new Queue(role);
      // Primary hosts that live: the others leave new runs to them.
      for (let i = 0; i < 130; i++) await queue.insert({ state: null }, 1 + i / 100);
      const veto = await queue.insert({ state: null }, 4, { detectors: ['muon_veto'] });
      const retry = await queue.insert(due(queue, 5), 5);
      await queue.turns(
        MOST_TURNS,
        () => queue.taken.includes(veto) && queue.taken.includes(retry),
      );
      expect(queue.taken).toEqual(expect.arrayContaining([veto, retry]));
    },
  );

  it('a new run that has waited too long comes before newer ones, however many there are', async () => {
    const queue = new Queue();
    const old = await queue.insert({ state: null }, 7);
    for (let i = 0; i < 60; i++) await queue.insert({ state: null }, i / 100);
    await queue.turns(1, () => false);
    expect(queue.taken[0]).toBe(old);
  });

  it('any mixture in front of any runs: each of them is taken', async () => {
    const piece = fc.record({
      kind: fc.constantFrom(...KINDS),
      times: fc.integer({ min: 1, max: 150 }),
      hoursAgo: fc.integer({ min: 0, max: 30 }),
    });
    const good = fc.record({ retry: fc.boolean(), hoursAgo: fc.integer({ min: 0, max: 30 }) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { maxLength: 6 }),
        fc.array(good, { minLength: 1, maxLength: 5 }),
        async (mixture, wanted) => {
          const queue = new Queue();
          for (const { kind, times, hoursAgo } of mixture) {
            for (let i = 0; i < times; i++) await queue.inFront(kind, hoursAgo);
          }
          const numbers = [];
          for (const { retry, hoursAgo } of wanted) {
            const bootstrax = retry ? due(queue, hoursAgo) : { state: null };
            numbers.push(await queue.insert(bootstrax, hoursAgo));
          }
          await queue.turns(MOST_TURNS, () => queue.taken.length >= numbers.length);
          expect(queue.taken.sort((a, b) => a - b)).toEqual(numbers);
        },
      ),
      { numRuns: 30 },
    );
  });
});

it('what is looked at in one turn is bounded, and the next turn goes on there', async () => {
  const world = new World();
  for (let number = 1; number <= 1500; number++) {
    await world.insertRun(number, 'odd' as unknown as Document);
  }
  const env = { store: world.store, rules: defaultRules, role: 'primary' } as const;
  const asked = { includeHeld: false, retries: 'none', now: new Date(world.nowMs) } as const;
  const bookmarks: Bookmarks = new Map();
  const seen = new Set<unknown>();
  for (let turn = 0; turn < 3; turn++) {
    let looked = 0;
    for await (const page of candidatePages(env, asked, bookmarks)) {
      for (const {
        seen: { number },
      } of page)
        seen.add(number);
      looked += page.length;
    }
    expect(looked).toBeLessThanOrEqual(520);
  }
  expect(seen.size).toBe(1500);
});

describe('after a claim that came too late', () => {
  const three = async (rank: number): Promise<Queue> => {
    const queue = new Queue();
    for (let i = 0; i < 3; i++) await queue.insert({ state: null }, i);
    queue.rank = rank;
    queue.late = 1;
    return queue;
  };

  it('a host with more free hosts before it than there are runs leaves these to them', async () => {
    const queue = await three(3);
    await queue.turns(1, () => false);
    expect(queue.taken).toEqual([]);
    expect(queue.left).toBe(1);
  });

  it('it tries the others if it has left them once, or there are runs enough', async () => {
    const again = await three(3);
    again.leaves = false;
    await again.turns(1, () => false);
    expect(again.taken.length).toBeGreaterThan(0);
    const enough = await three(2);
    await enough.turns(1, () => false);
    expect(enough.taken.length).toBeGreaterThan(0);
    expect(enough.left).toBe(0);
  });
});
