import { describe, expect, it, test } from 'vitest';

import { hostView } from '../../../src/host/host-document.pure.ts';
import { attention } from '../../../src/readmodel/attention.pure.ts';
import { hoursUntilFull } from '../../../src/readmodel/disk-forecast.pure.ts';
import { type CountedFailure, failureGroups } from '../../../src/readmodel/failures.pure.ts';
import { type HostCard, hostCard, hostScores } from '../../../src/readmodel/hosts.pure.ts';
import {
  hourBins,
  latencyPlot,
  outcomePlot,
  percentile,
  throughputPlot,
} from '../../../src/readmodel/hours.pure.ts';
import { targetLadder } from '../../../src/readmodel/ladder.pure.ts';
import { queueOf } from '../../../src/readmodel/queue.pure.ts';
import { redact } from '../../../src/readmodel/redact.pure.ts';
import { conditionOf, CONDITIONS, LOOKS } from '../../../src/readmodel/run-condition.pure.ts';
import { firstLine, runRow } from '../../../src/readmodel/run-row.pure.ts';
import type { CauseClass } from '../../../src/retry/causes.pure.ts';
import { readRun } from '../../../src/run/run.pure.ts';
import { type RunView, runView } from '../../../src/run/run-view.pure.ts';

const NOW = new Date('2026-03-01T12:30:00Z');
const ago = (seconds: number) => new Date(NOW.getTime() - seconds * 1000);
const TAKEN = {
  ...{ end: null, firstOutput: null, done: null, began: null, coveredSeconds: null },
  ...{ mode: 'radon', rateMBps: null },
};

function view(bootstrax: Record<string, unknown>, more: Record<string, unknown> = {}): RunView {
  return runView(
    readRun({
      number: 7,
      start: ago(600),
      end: ago(60),
      mode: 'radon',
      detectors: ['tpc'],
      data: [{ type: 'live', host: 'daq', location: '/live/7' }],
      daq_config: { processing_threads: { reader0: 1 } },
      bootstrax,
      ...more,
    }),
    NOW,
  );
}

const STILL = {
  ...{ phase: 'processing', chunks: 3, covered_seconds: 15, bytes: 1, memory_bytes: 1, t: 20 },
  ...{ mb_per_s: 1, moved: ago(240), waits_for: 'chunk 3 of reader0' },
};
const HELD = { tags: [{ name: 'hold-processing', user: 'anna', date: NOW }] };

test('a done run whose data lacks something says so in its row', () => {
  const part = { kind: 'missing', chunk: '000002', reader: 'reader1' };
  const nothing = { bytes: null, rows: null, problem: null };
  const incomplete = { missing: 1, unreadable: 0, unread: 0, parts: [{ ...part, ...nothing }] };
  const lacks = 'Live data of a reader is missing: chunk 000002 of reader1.';
  const why = (bootstrax: Record<string, unknown>) =>
    runRow('a', view({ state: 'done', incomplete, ...bootstrax }), 10, '').why;
  expect(why({})).toBe(lacks);
  expect(why({ plan: { targets: ['a'], dropped: ['b'] } })).toBe(`${lacks} Targets dropped: b`);
  expect(why({ incomplete: 'all of it' })).toBeNull();
});

describe('the condition of a run', () => {
  test.each([
    ['new', view({})],
    ['held', view({}, HELD)],
    ['set_aside', view({}, { daq_config: null })],
    ['considering', view({ state: 'considering' })],
    ['busy', view({ state: 'busy' }, HELD)],
    ['stalled', view({ state: 'busy', time: NOW, progress: STILL })],
    ['done', view({ state: 'done' })],
    ['debt', view({ state: 'done', plan: { targets: ['a'], dropped: ['b'] } })],
    ['retrying', view({ state: 'failed', n_failures: 9, next_retry: NOW, outcome: 'failed' })],
    ['requeued', view({ state: 'failed', next_retry: NOW, outcome: 'requeued' })],
    ['held', view({ state: 'failed', next_retry: NOW, outcome: 'failed' }, HELD)],
    ['given_up', view({ state: 'failed', n_failures: 10, next_retry: NOW })],
    ['set_aside', view({ state: 'failed', n_failures: 1 })],
    ['abandoned', view({ state: 'abandoned' })],
  ] as const)('%s', (condition, run) => {
    expect(conditionOf(run, 10)).toBe(condition);
  });

  it('is no debt once the target was made after all', () => {
    const bootstrax = { state: 'done', plan: { targets: ['a'], dropped: ['b'] } };
    const data = [
      { type: 'live', host: 'daq', location: '/live/7' },
      { type: 'b', host: 'eb0', location: '/out/b' },
    ];
    expect(conditionOf(view(bootstrax, { data }), 10)).toBe('done');
  });

  it('is told by a shape and a word of its own, not by colour alone', () => {
    const looks = CONDITIONS.map((condition) => LOOKS[condition]);
    expect(new Set(looks.map(({ shape }) => shape)).size).toBe(CONDITIONS.length);
    expect(new Set(looks.map(({ word }) => word)).size).toBe(CONDITIONS.length);
  });
});

describe('a row of the list of runs', () => {
  it('counts the targets got and wanted, and says why', () => {
    const plan = { targets: ['peaks', 'events'], dropped: ['hits'] };
    const reason = 'eb0.lab:\nThe strax process failed: KeyError\nTraceback ...';
    const row = runRow(
      'id',
      view({ state: 'failed', n_failures: 2, next_retry: NOW, reason, plan }),
      10,
      'seen',
    );
    expect(row).toMatchObject({ got: 0, wanted: 3, why: 'The strax process failed: KeyError' });
    expect(row).not.toHaveProperty('reason');
    expect(runRow('id', view({ state: 'done', reason, plan }), 10, 'seen')).toMatchObject({
      condition: 'debt',
      got: 2,
      wanted: 3,
      why: 'dropped: hits',
    });
  });

  it('has no reason left over from before a success', () => {
    expect(runRow('id', view({ state: 'done', reason: 'eb0:\nold' }), 10, 'seen').why).toBeNull();
  });

  test.each([
    ['eb0.lab:\nwhat', 'what'],
    ['eb0.lab:', 'eb0.lab:'],
    ['eb0.lab:\nRun 7: what', 'what'],
    ['just this\nand more', 'just this'],
    ['\n \n', null],
  ])('%j begins with %j', (reason, line) => {
    expect(firstLine(reason)).toBe(line);
  });
});

describe('the disk forecast', () => {
  const points = (...used: number[]) =>
    used.map((usedPercent, i) => ({
      atMs: NOW.getTime() - (used.length - 1 - i) * 900_000,
      usedPercent,
    }));
  test.each([
    ['rises 4 percent an hour, 8 to go', points(79, 80, 81, 82), 90, 2],
    ['is full', points(89, 90, 91), 90, 0],
    ['falls', points(82, 81, 80), 90, null],
    ['stands still', points(80, 80, 80), 90, null],
    ['rises so slowly that it takes a month', points(80, 80.01, 80.02), 90, null],
    ['is known for one moment only', points(80), 90, null],
    ['is not known', [], 90, null],
  ])('a disk that %s', (_name, known, limit, hours) => {
    const forecast = hoursUntilFull(known, limit);
    if (hours === null) expect(forecast).toBeNull();
    else expect(forecast).toBeCloseTo(hours, 6);
  });

  it('does not believe a line through two minutes', () => {
    const known = [
      { atMs: NOW.getTime() - 120_000, usedPercent: 80 },
      { atMs: NOW.getTime(), usedPercent: 81 },
    ];
    expect(hoursUntilFull(known, 90)).toBeNull();
  });
});

const said = (extras: Record<string, unknown>, ageSeconds = 5) =>
  hostView({ host: 'eb0', state: 'busy', time: ago(ageSeconds), extras }, NOW, 180);
const SIGN_AGE_SECONDS = 5;
const card = (extras: Record<string, unknown>, ageSeconds = SIGN_AGE_SECONDS): HostCard =>
  hostCard(said(extras, ageSeconds), [], { diskPercent: 95, presumedDeadSeconds: 180 }, NOW);

describe('the card of a host', () => {
  test.each([
    ['idle', card({ accepting: true })],
    ['busy', card({ accepting: true, runs: [7] })],
    ['blocked', card({ accepting: false, why_not: 'full', why_not_kind: 'disk' })],
    ['quarantined', card({ accepting: false, why_not: 'fails', why_not_kind: 'quarantine' })],
    ['drained', card({ accepting: false, why_not: 'by anna', why_not_kind: 'drained' })],
    ['silent', card({ accepting: true, runs: [7] }, 181)],
  ])('%s', (condition, host) => {
    expect(host.condition).toBe(condition);
    expect(host.accepting).toBe(condition === 'idle' || condition === 'busy');
  });

  it('lives by either kind of heartbeat', () => {
    const sign = {
      ...{ host: 'eb0', atMs: ago(3).getTime(), cpuPercent: 1, memoryPercent: 2, swapPercent: 3 },
      ...{ diskPercent: 4, liveDiskPercent: 60, load: 1.5, clockSkewSeconds: 0.2 },
      ...{ targets: [], cores: null, writer: 'pid 1' },
    };
    const limits = { diskPercent: 95, presumedDeadSeconds: 180 };
    expect(hostCard(said({ accepting: true }, 500), [sign], limits, NOW)).toMatchObject({
      condition: 'idle',
      lastSign: ago(3).toISOString(),
      memoryPercent: 2,
    });
  });
});

describe('what needs attention', () => {
  const limits = {
    promiseGraceSeconds: 60,
    busyLeaseSeconds: 120,
    consideringLeaseSeconds: 60,
    overdueSeconds: 3600,
    stalledAttentionSeconds: 300,
  };
  const kinds = (
    bootstrax: Record<string, unknown>,
    changed: Date | null = NOW,
    hosts: readonly HostCard[] = [],
  ) =>
    attention(
      {
        runs: [runRow('id', view(bootstrax), 10, 'seen')],
        hosts,
        changedAt: new Map([['id', changed]]),
      },
      limits,
      NOW,
    ).map(({ kind }) => kind);
  const retry = (seconds: number) => ({
    ...{ state: 'failed', n_failures: 1, outcome: 'failed', next_retry: ago(seconds) },
  });

  it('is nothing while all goes its way', () => {
    for (const state of ['considering', 'busy', 'done', 'abandoned']) {
      expect(kinds({ state })).toEqual([]);
    }
    expect(kinds({})).toEqual([]);
    expect(
      attention(
        { runs: [], hosts: [card({ accepting: true })], changedAt: new Map() },
        limits,
        NOW,
      ),
    ).toEqual([]);
  });

  it('is a promise that was not kept, after some grace', () => {
    expect(kinds(retry(60))).toEqual([]);
    expect(kinds(retry(61))).toEqual(['promise_missed']);
    expect(kinds(retry(-600))).toEqual([]);
  });

  it('is none while all places are taken by new runs, until it goes before them', () => {
    const full = card({ accepting: true, slots: 1, runs: [8] });
    expect(kinds(retry(3600), NOW, [full])).toEqual([]);
    expect(kinds(retry(3661), NOW, [full])).toEqual(['promise_missed']);
  });

  it('is one from the time on for which a place has been free', () => {
    const full = card({ accepting: true, slots: 1, runs: [8] });
    const free = (seconds: number) =>
      card({ accepting: true, slots: 2, runs: [8], free_for_seconds: seconds - SIGN_AGE_SECONDS });
    expect(kinds(retry(900), NOW, [full, free(60)])).toEqual([]);
    expect(kinds(retry(900), NOW, [full, free(61)])).toEqual(['promise_missed']);
    expect(kinds(retry(61), NOW, [full, free(900)])).toEqual(['promise_missed']);
    expect(kinds(retry(61), NOW, [card({ accepting: true })])).toEqual(['promise_missed']);
  });

  it('is a run in work without a heartbeat that nobody has taken over', () => {
    expect(kinds({ state: 'busy' }, ago(180))).toEqual([]);
    expect(kinds({ state: 'busy' }, ago(181))).toEqual(['run_silent']);
    expect(kinds({ state: 'considering' }, ago(121))).toEqual(['run_silent']);
  });

  it('is a run that makes no progress, earlier if it has failed before', () => {
    const stalled = (seconds: number, more: Record<string, unknown> = {}) => ({
      ...{ state: 'busy', time: NOW, progress: { ...STILL, moved: ago(seconds) }, ...more },
    });
    expect(kinds(stalled(119))).toEqual([]);
    expect(kinds(stalled(299))).toEqual([]);
    expect(kinds(stalled(300))).toEqual(['run_stalled']);
    expect(kinds(stalled(121, { n_failures: 1 }))).toEqual(['run_stalled']);
    expect(kinds(stalled(400), ago(500))).toEqual(['run_silent']);
  });

  it('is a detector of which two runs are taken at once', () => {
    const open = (start: Date) =>
      runRow(`${+start}`, view({}, { number: +start, start, end: null }), 10, 'seen');
    const found = attention(
      { runs: [open(ago(900)), open(ago(400))], hosts: [], changedAt: new Map() },
      limits,
      NOW,
    );
    expect(found).toMatchObject([{ kind: 'taken_together', since: ago(400).toISOString() }]);
    expect(found[0]?.what).toContain('2 runs of tpc are being taken at once');
  });

  it('is what only a person can end, hosts first', () => {
    const rows = [
      runRow('a', view({ state: 'failed', n_failures: 10 }), 10, 'seen'),
      runRow('b', view({ state: 'failed', outcome: 'set_aside' }, { number: 8 }), 10, 'seen'),
    ];
    const hosts = [
      card({}, 500),
      card({ why_not: 'x', why_not_kind: 'quarantine' }),
      { ...card({}), twoManagers: ['pid 1', 'pid 2'] as [string, string] },
    ];
    const items = attention({ runs: rows, hosts, changedAt: new Map() }, limits, NOW);
    expect(items.map(({ kind }) => kind)).toEqual([
      ...['two_managers', 'host_silent', 'host_quarantined', 'given_up', 'set_aside'],
    ]);
    for (const { what, todo } of items) {
      expect(what.length).toBeGreaterThan(10);
      expect(todo.length).toBeGreaterThan(10);
    }
  });
});

describe('what needs attention of runs that nobody else would tell of', () => {
  const limits = {
    ...{ promiseGraceSeconds: 60, busyLeaseSeconds: 120, consideringLeaseSeconds: 60 },
    ...{ overdueSeconds: 3600, stalledAttentionSeconds: 300 },
  };
  const items = (rows: RunView[], hosts: HostCard[] = []) =>
    attention(
      {
        runs: rows.map((each, i) => runRow(`document${i}`, each, 10, 'seen')),
        hosts,
        changedAt: new Map(),
      },
      limits,
      NOW,
    );

  it('is a done run that lacks live data, with the way to make it whole', () => {
    const part = { kind: 'unread', chunk: '000012', reader: null, bytes: 9, rows: null };
    const incomplete = {
      missing: 0,
      unreadable: 0,
      unread: 1,
      parts: [{ ...part, problem: null }],
    };
    const [item, ...more] = items([view({ state: 'done', incomplete })]);
    expect(item).toMatchObject({ kind: 'incomplete', key: 'incomplete:7' });
    expect(item?.detail).toContain('chunk 000012');
    expect(item?.todo).toContain('bootstrax retry 7 --even-done');
    expect(more).toEqual([]);
    expect(items([view({ state: 'done', incomplete: 'yes' })])).toEqual([]);
  });

  it('is a done run that nobody has handed on, with why and with what to do', () => {
    const row = runRow('document0', view({ state: 'done' }), 10, 'seen');
    const found = (notHandedOn: string | null) =>
      attention({ runs: [{ ...row, notHandedOn }], hosts: [], changedAt: new Map() }, limits, NOW);
    expect(found(null)).toEqual([]);
    const [item, ...more] = found('its document lists no product');
    expect(item).toMatchObject({ kind: 'not_handed_on', key: 'not_handed_on:7', run: 7 });
    expect(item?.detail).toContain('its document lists no product');
    expect(item?.todo).toContain('bootstrax retry 7 --even-done --reason TEXT');
    expect(more).toEqual([]);
  });

  it('is a number that several documents have, once, with the command that settles it', () => {
    const aside = (ids: unknown) =>
      view({ state: 'failed', outcome: 'set_aside', same_number: ids, next_retry: null });
    const found = items([aside(['one', 'two']), aside(['one', 'three'])]);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ kind: 'same_number', key: 'same_number:7' });
    expect(found[0]?.what).toContain('document0');
    expect(found[0]?.what).toContain('one, two');
    expect(found[0]?.todo).toContain('bootstrax renumber document0 ');
    expect(items([aside('odd')])[0]?.kind).toBe('set_aside');
    const long = items([aside(Array.from({ length: 5000 }, () => 'x'.repeat(5000)))]);
    expect(long[0]?.what.length).toBeLessThan(1000);
  });

  it('is what the database refuses of runs that a living host leaves alone, in one item', () => {
    const refused = (runs: unknown, age?: number) => items([], [card({ left_runs: runs }, age)]);
    const left = Array.from({ length: 7 }, (_, i) => ({ run: `run ${i}`, why: 'it is too large' }));
    const found = refused(left);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ kind: 'runs_left', key: 'runs_left:eb0', host: 'eb0' });
    expect(found[0]?.what).toContain('run 0, run 1, run 2, run 3, run 4 and 2 more');
    expect(found[0]?.detail).toMatch(/its writes to run 0: it is too large\.$/);
    for (const odd of [undefined, 'x', [], [null, 3, { why: 'x' }]])
      expect(refused(odd)).toEqual([]);
    const long = refused(left.map(() => ({ run: 'x'.repeat(9000), why: 'y'.repeat(9000) })));
    expect(long[0]?.what.length).toBeLessThan(3000);
    expect(refused(left, 500).map(({ kind }) => kind)).toEqual(['host_silent']);
  });
});

describe('the queue', () => {
  it('counts what waits, and tells the oldest and the next', () => {
    const fresh = [
      { run: 1, start: ago(100), held: false, nextRetry: null },
      { run: 2, start: ago(900), held: false, nextRetry: null },
      { run: 3, start: ago(9000), held: true, nextRetry: null },
    ];
    const failed = [
      { run: 4, start: null, held: false, nextRetry: ago(1) },
      { run: 5, start: null, held: false, nextRetry: ago(-30) },
      { run: 6, start: null, held: false, nextRetry: ago(-20) },
      { run: 8, start: null, held: true, nextRetry: ago(-2) },
    ];
    expect(queueOf(fresh, failed, false, NOW)).toEqual({
      ...{ fresh: 2, held: 2, due: 1, later: 2, atLeast: false },
      oldest: { run: 2, start: ago(900).toISOString() },
      next: { run: 6, at: ago(-20).toISOString() },
    });
    expect(queueOf([], [], false, NOW)).toMatchObject({ fresh: 0, oldest: null, next: null });
  });
});

describe('plots by the hour', () => {
  it('end with the present hour', () => {
    expect(hourBins(NOW, 2).map((at) => new Date(at * 1000).toISOString())).toEqual([
      '2026-03-01T11:00:00.000Z',
      '2026-03-01T12:00:00.000Z',
    ]);
  });

  test.each([
    [[], 0.5, null],
    [[3], 0.95, 3],
    [[4, 1, 3, 2], 0.5, 2],
    [[4, 1, 3, 2], 0.95, 4],
    [Array.from({ length: 100 }, (_, i) => i + 1), 0.95, 95],
  ])('percentile of %j', (values, share, expected) => {
    expect(percentile(values, share)).toBe(expected);
  });

  it('put latencies where the run began or ended', () => {
    const run = {
      ...{ ...TAKEN, start: ago(3600), end: ago(1200) },
      ...{ firstOutput: ago(3590), done: ago(1170) },
    };
    const plot = latencyPlot([run], NOW, 2);
    expect(plot.outputP50).toEqual([10, null]);
    expect(plot.doneP95).toEqual([null, 30]);
  });

  it('share a run out over the hours in which it was taken', () => {
    // From 11:20 to 12:20, done at 12:25.
    const run = { ...TAKEN, start: ago(4200), end: ago(600), done: ago(300), began: ago(1800) };
    const taking = { ...TAKEN, start: ago(300), coveredSeconds: 120, began: ago(290) };
    const plot = throughputPlot([run, taking], NOW, 2);
    expect(plot.unit).toBe('min per hour');
    expect(plot.taken).toEqual([40, 25]);
    expect(plot.processed).toEqual([0, 62]);
  });

  it('add up what was taken and processed in MB/s where rates are known', () => {
    // From 11:20 to 12:20, processed from 11:45 to 12:15.
    const run = {
      ...{ ...TAKEN, start: ago(4200), end: ago(600), began: ago(2700), done: ago(900) },
      rateMBps: 36,
    };
    const taking = { ...TAKEN, start: ago(600) };
    const other = { ...TAKEN, start: ago(60), mode: 'led' };
    const plot = throughputPlot([run, taking], NOW, 2);
    expect(plot.unit).toBe('MB/s');
    expect(plot.taken).toEqual([24, 18]);
    expect(plot.processed).toEqual([18, 18]);
    expect(throughputPlot([run, other], NOW, 2).taken).toEqual([24, null]);
  });

  it('count attempts by what a person would do about them', () => {
    const end = (outcome: string, cause: CauseClass | null, counted: boolean) => ({
      ...{ ended: ago(60), outcome, class: cause, counted },
    });
    const { counts } = outcomePlot(
      [
        end('done', null, false),
        end('failed', 'plugin_error', true),
        end('failed', 'out_of_memory', true),
        end('failed', 'hang', true),
        end('requeued', 'disk', false),
        end('abandoned', 'operator', false),
        { ...end('done', null, false), ended: ago(7200) },
      ],
      NOW,
      2,
    );
    for (const series of Object.values(counts)) expect(series).toEqual([0, 1]);
  });
});

describe('groups of failures', () => {
  const failure = (more: Partial<CountedFailure>): CountedFailure => ({
    ...{ run: 1, host: 'eb0', ended: ago(60), fingerprint: 'aa', plugin: 'peaks' },
    ...{
      cause: 'plugin error in peaks',
      reason: 'boom',
      traceback: null,
      versions: { strax: '2.2.3' },
    },
    ...more,
  });

  it('are the failures of one fingerprint, newest group first', () => {
    const groups = failureGroups(
      [
        failure({ ended: ago(3 * 86_400), reason: 'old boom' }),
        failure({ run: 2 }),
        failure({ run: 2, host: 'eb1', ended: ago(120) }),
        failure({ fingerprint: 'bb', ended: ago(30) }),
        failure({ fingerprint: null, cause: 'out of memory', ended: ago(10) }),
      ],
      ['eb0', 'eb1'],
      NOW,
    );
    expect(groups.map(({ fingerprint }) => fingerprint)).toEqual([
      ...['cause: out of memory', 'bb', 'aa'],
    ]);
    expect(groups[2]).toMatchObject({
      ...{ count: 3, runs: [2, 1], hosts: ['eb0', 'eb1'], isNew: false, onlyHost: null },
      ...{ reason: 'boom', versions: ['strax 2.2.3'], firstSeen: ago(3 * 86_400).toISOString() },
    });
    expect(groups[2]?.trend.slice(-4)).toEqual([1, 0, 0, 2]);
    expect(groups[1]?.isNew).toBe(true);
  });

  it('point to a host only where there is another, and more than one failure', () => {
    const twice = [failure({}), failure({ run: 2 })];
    expect(failureGroups(twice, ['eb0', 'eb1'], NOW)[0]?.onlyHost).toBe('eb0');
    expect(failureGroups(twice, ['eb0'], NOW)[0]?.onlyHost).toBeNull();
    expect(failureGroups([failure({})], ['eb0', 'eb1'], NOW)[0]?.onlyHost).toBeNull();
  });
});

describe('hosts against each other', () => {
  const attempts = (host: string, succeeded: number, failed: number) => [
    ...Array.from({ length: succeeded }, (_, run) => {
      return { run, host, outcome: 'done', counted: false };
    }),
    ...Array.from({ length: failed }, (_, i) => {
      return { run: 1000 + i, host, outcome: 'failed', counted: true };
    }),
  ];

  it('a host that fails what others finish is worse', () => {
    const scores = hostScores([...attempts('eb0', 0, 5), ...attempts('eb1', 20, 1)]);
    expect(scores.map(({ host, worse }) => [host, worse])).toEqual([
      ['eb0', true],
      ['eb1', false],
    ]);
    expect(scores[0]).toMatchObject({ share: 0, othersShare: 20 / 21 });
  });

  it('ten attempts at one bad run are one', () => {
    const again = Array.from({ length: 10 }, () => attempts('eb0', 0, 1)).flat();
    const scores = hostScores([...again, ...attempts('eb0', 9, 0), ...attempts('eb1', 10, 0)]);
    expect(scores[0]).toMatchObject({ succeeded: 9, failed: 1, worse: false });
  });

  it('chance, or a single attempt, says nothing', () => {
    expect(hostScores([...attempts('eb0', 9, 1), ...attempts('eb1', 10, 0)])[0]?.worse).toBe(false);
    expect(hostScores([...attempts('eb0', 0, 1), ...attempts('eb1', 50, 0)])[0]?.worse).toBe(false);
    expect(hostScores(attempts('eb0', 0, 9))[0]).toMatchObject({ worse: false, othersShare: null });
  });
});

it('the ladder tells what became of each target in each attempt', () => {
  const rung = (more: object) => ({
    ...{ attempt: 'a', targets: ['peaks', 'events'], postProcessing: ['raw'], dropped: [] },
    ...{ outcome: 'failed', plugin: 'events' },
    ...more,
  });
  expect(
    targetLadder(
      [rung({}), rung({ targets: ['peaks'], dropped: ['events'], outcome: 'done', plugin: null })],
      [
        { type: 'peaks', host: 'eb1' },
        { type: 'peaks', host: 'eb0' },
      ],
    ),
  ).toEqual([
    { type: 'peaks', steps: ['asked', 'made'], storedOn: ['eb0', 'eb1'] },
    { type: 'events', steps: ['culprit', 'dropped'], storedOn: [] },
    { type: 'raw', steps: ['asked', 'made'], storedOn: [] },
  ]);
});

it('documents are shown without passwords', () => {
  expect(
    redact({
      daq_config: { mongo_password: 'geheim', api_token: 7, secret: null, run_mode: 'radon' },
      list: ['mongodb://daq:geheim@db:27017/daq', 'see https://lab.org/a@b'],
    }),
  ).toEqual({
    daq_config: { mongo_password: '***', api_token: '***', secret: null, run_mode: 'radon' },
    list: ['mongodb://***@db:27017/daq', 'see https://lab.org/a@b'],
  });
});
