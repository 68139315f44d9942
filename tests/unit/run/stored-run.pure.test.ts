import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';

import { checkRun, readRun, type StoredRun } from '../../../src/run/run.pure.ts';
import { runSnapshot } from '../../../src/run/run-snapshot.pure.ts';
import { runView } from '../../../src/run/run-view.pure.ts';
import { seenOf } from '../../../src/run/stored-runs.ts';
import { at, NOW, runDocument, storedRun } from './documents.ts';

/** A document with every field that anybody reads, as this program, the reference and others leave it. */
const FULL = runDocument({
  ...{ number: 52, end: at(-0.5), status: 'eb_finished_pre', restrax: { state: 'busy' } },
  rate: { tpc: { avg: 20, max: 30 }, veto: { avg: 1, max: 2 } },
  tags: [{ name: 'messy', user: 'anna', date: at(0) }, 'plain'],
  comments: [{ comment: 'looks odd', user: 'ben', date: at(1) }],
  data: [
    { type: 'live', host: 'daq', location: '/live' },
    { type: 'peaks', host: 'eb3', location: '/out/000052-peaks-x', meta: { lineage: {} } },
  ],
  deleted_data: [{ type: 'events', host: 'eb3', at: at(0), by: 'eb4' }],
  bootstrax: {
    ...{ state: 'done', host: 'eb3', time: at(0), started_processing: at(-0.9) },
    ...{ reason: 'eb3:\nwhy\n', n_failures: 2, next_retry: at(1), attempt: 'a3', outcome: 'done' },
    ...{ uncounted: 1, holders_lost: 1, asked_failures: [1], waits_for: 'a place' },
    ...{ last_attempt: 'a2', attempt_time: at(0), action: 'act1', debt_paid: 'a4' },
    plan: { targets: ['peaks'], dropped: ['events'], place: '/out.staging/a3', cores: 4 },
    progress: {
      ...{ phase: 'processing', chunks: 3, covered_seconds: 15, bytes: 9, memory_bytes: 8 },
      ...{ mb_per_s: 7.5, t: 10, first_output: at(0) },
    },
    incomplete: { missing: 0, unreadable: 0, unread: 0, parts: [] },
    malformed: [{ field: 'end', problem: 'is odd' }],
    same_number: ['b'.repeat(24)],
    fault_seen: { document: 'd', live: 'l' },
    debt: { attempt: 'a5', host: 'eb3', time: at(0) },
  },
});

/** Dotted paths of all fields of it, of objects as well as of what is in them. */
function pathsOf(value: unknown, path: string[] = []): string[][] {
  const inner =
    typeof value === 'object' && value !== null && !(value instanceof Date)
      ? Object.entries(value).flatMap(([name, each]) => pathsOf(each, [...path, name]))
      : [];
  return path.length === 0 ? inner : [path, ...inner];
}
const PATHS = pathsOf(FULL);

/** The same document with something else at a path. */
function replaced(value: unknown, [name, ...rest]: readonly string[], by: unknown): unknown {
  if (name === undefined) return by;
  const copy = Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) };
  const fields = copy as Record<string, unknown>;
  fields[name] = replaced(fields[name], rest, by);
  return copy;
}

function deep(levels: number, make: (inner: unknown) => unknown): unknown {
  let value: unknown = 'bottom';
  for (let i = 0; i < levels; i++) value = make(value);
  return value;
}

const circular: Record<string, unknown> = { name: 'x' };
circular['self'] = circular;
const throwing = {
  get state(): never {
    throw new Error('no');
  },
};
const revoked = Proxy.revocable({}, {});
revoked.revoke();

/** Also what no generator makes: very deep, very large, and no plain data at all. */
const ODD: readonly unknown[] = [
  ...[deep(20_000, (inner) => [inner]), deep(20_000, (inner) => ({ inner }))],
  ...['x'.repeat(2_000_000), Array.from({ length: 50_000 }, (_, i) => ({ type: `t${i}` }))],
  Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`f${i}`, i])),
  ...[circular, throwing, revoked.proxy, new Date(NaN), Infinity, -0, 1e308],
  ...[{ a: { avg: 1e308, max: 1e308 }, b: { avg: 1e308, max: 1e308 } }, Symbol('s'), () => 1],
];

/** As a function: nobody else has to look at it. */
const anything = fc.oneof(
  fc
    .anything({
      ...{ maxDepth: 4, withBigInt: true, withDate: true, withMap: true, withSet: true },
      ...{ withNullPrototype: true, withObjectString: true, withSparseArray: true },
      ...{ withTypedArray: true, withBoxedValues: true },
    })
    .map((value) => () => value),
  fc.nat(ODD.length - 1).map((i) => () => ODD[i]),
);

/** Leaves of what was read, but for what is kept as stored. */
function leavesOf(value: unknown, path = ''): [string, unknown][] {
  if (path === '.ownership' || path === '.own.debt.seen') return [];
  if (typeof value !== 'object' || value === null || value instanceof Date) return [[path, value]];
  return Object.entries(value).flatMap(([name, each]) => leavesOf(each, `${path}.${name}`));
}

function isTyped(leaf: unknown): boolean {
  if (leaf === null || typeof leaf === 'string' || typeof leaf === 'boolean') return true;
  if (leaf instanceof Date) return !Number.isNaN(leaf.getTime());
  return typeof leaf === 'number' && Number.isFinite(leaf);
}

/** What is kept as stored is the very same. */
function sameReading(a: StoredRun, b: StoredRun): boolean {
  const keptOf = ({ ownership, own }: StoredRun): unknown[] =>
    [ownership, own.debt?.seen ?? {}].flatMap((kept) => Object.values<unknown>(kept));
  const [one, other] = [keptOf(a), keptOf(b)];
  return (
    isDeepStrictEqual(leavesOf(a), leavesOf(b)) &&
    one.length === other.length &&
    one.every((value, i) => Object.is(value, other[i]))
  );
}

function checkReading(document: unknown): void {
  const once = readRun(document);
  expect(sameReading(readRun(document), once)).toBe(true);
  const wrong = leavesOf(once).filter(([, leaf]) => !isTyped(leaf));
  expect(wrong).toEqual([]);
  checkRun(once);
  runView(once, NOW);
}

describe('every run document is read without an error, twice to the same, and typed to the leaf', () => {
  it('whatever takes its place', () => {
    const make = fc.property(anything, (value) => {
      checkReading(value());
    });
    fc.assert(make, { numRuns: 500 });
  });

  it('with anything at any place of a document that has all fields', () => {
    fc.assert(
      fc.property(fc.constantFrom(...PATHS), anything, (path, value) => {
        checkReading(replaced(FULL, path, value()));
      }),
      { numRuns: 2000 },
    );
  });

  it('with anything in several fields at once', () => {
    const fields = fc.subarray(Object.keys(FULL), { minLength: 2 });
    fc.assert(
      fc.property(fields, fc.array(fc.anything({ maxDepth: 3 })), (names, values) => {
        const document = { ...FULL };
        names.forEach((name, i) => (document[name] = values[i]));
        checkReading(document);
        seenOf(storedRun(document));
        runSnapshot(document);
      }),
      { numRuns: 1000 },
    );
  });
});

test('every field that anybody reads is in what is read of a document that has them all', () => {
  const stored = readRun(FULL);
  expect(stored.problems).toEqual([]);
  expect(stored).toMatchObject({
    ownership: { number: 52, state: 'done', host: 'eb3', time: at(0), attempt: 'a3' },
    ...{ number: 52, mode: 'tpc_bkg', start: at(-1), end: at(-0.5), detectors: ['tpc'] },
    ...{ status: 'eb_finished_pre', statusText: 'eb_finished_pre', restrax: 'busy' },
    ...{ tags: ['messy', 'plain'], namedTags: ['messy'], stateText: 'done', hasOddCount: false },
    tagNotes: [{ text: 'messy', by: 'anna', at: at(0) }],
    comments: [{ text: 'looks odd', by: 'ben', at: at(1) }],
    ...{ rateMBps: 32, averageRateMBps: 21, liveLocation: '/live' },
    bootstrax: { failures: 2, askedFailures: [1], outcome: 'done', uncounted: 1, holdersLost: 1 },
    own: {
      ...{ lastAttempt: 'a2', attemptTime: { at: at(0) }, action: 'act1', debtPaid: 'a4' },
      plan: { targets: ['peaks'], dropped: ['events'], place: '/out.staging/a3' },
      progress: {
        ...{ phase: 'processing', chunks: 3, coveredSeconds: 15, bytes: 9, memoryBytes: 8 },
        ...{ mbPerSecond: 7.5, seconds: 10, firstOutput: at(0) },
      },
      incomplete: { missing: 0, unreadable: 0, unread: 0, parts: [] },
      malformed: [{ field: 'end', problem: 'is odd' }],
      sameNumber: ['b'.repeat(24)],
      faultSeen: { document: 'd', live: 'l' },
      debt: { attempt: 'a5', seen: { attempt: 'a5', time: at(0) } },
    },
    data: [
      { type: 'live', host: 'daq', location: '/live' },
      { type: 'peaks', host: 'eb3', location: '/out/000052-peaks-x' },
    ],
    deletedData: [{ type: 'events', host: 'eb3', at: at(0), by: 'eb4' }],
  });
});
