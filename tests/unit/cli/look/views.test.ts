import { ObjectId } from 'mongodb';
import { describe, expect, it } from 'vitest';

import { drawAttention, drawStatus } from '../../../../src/cli/look/status-view.ts';
import { hostView } from '../../../../src/host/host-document.pure.ts';
import type { AttentionItem } from '../../../../src/readmodel/attention.pure.ts';
import { readRun } from '../../../../src/run/run.pure.ts';
import { runView } from '../../../../src/run/run-view.pure.ts';

const NOW = new Date('2026-01-01T01:00:00Z');
const before = (seconds: number) => new Date(NOW.getTime() - seconds * 1000);

function busyRun(fields: Record<string, unknown> = {}) {
  return {
    _id: new ObjectId(),
    number: 7,
    mode: 'tpc_bkg',
    detectors: ['tpc'],
    start: before(100),
    end: before(60),
    daq_config: { processing_threads: { reader: 1 } },
    data: [
      { type: 'live', host: 'daq', location: '/live' },
      { type: 'peaks', host: 'eb3.lab', location: '/out/000007-peaks-x' },
    ],
    bootstrax: {
      state: 'busy',
      host: 'eb3.lab',
      time: before(1),
      plan: { targets: ['peaks'], dropped: ['events'] },
      progress: {
        phase: 'processing',
        chunks: 4,
        covered_seconds: 20,
        bytes: 1e8,
        memory_bytes: 5e8,
        mb_per_s: 12.5,
        t: 10,
      },
    },
    ...fields,
  };
}

describe('runView', () => {
  it('estimates the end of a run that has ended by the speed so far', () => {
    expect(runView(readRun(busyRun()), NOW)).toMatchObject({
      run: 7,
      state: 'busy',
      seconds: 40,
      targets: ['peaks'],
      dropped: ['events'],
      stored: ['peaks'],
      progress: {
        fraction: 0.5,
        mbPerSecond: 12.5,
        estimatedEnd: new Date(NOW.getTime() + 10_000).toISOString(),
        behindSeconds: null,
      },
    });
  });

  it('tells where the attempt in work writes, and of no attempt that is not in work', () => {
    const place = '/out.staging/aaa';
    const viewed = (state: string, plan: unknown) =>
      runView(readRun(busyRun({ bootstrax: { state, host: 'eb3.lab', time: NOW, plan } })), NOW);
    expect(viewed('busy', { targets: ['peaks'], place }).place).toBe(place);
    expect(viewed('done', { targets: ['peaks'], place }).place).toBeNull();
    expect(viewed('failed', { targets: ['peaks'], place }).place).toBeNull();
    // Plans of earlier releases, and what other programs may write there.
    expect(viewed('busy', { targets: ['peaks'] }).place).toBeNull();
    expect(viewed('busy', { targets: ['peaks'], place: ['odd'] }).place).toBeNull();
    expect(viewed('busy', null).place).toBeNull();
  });

  it('says how far a run that is being taken is behind', () => {
    expect(runView(readRun(busyRun({ end: null })), NOW)).toMatchObject({
      seconds: 100,
      progress: { estimatedEnd: null, behindSeconds: 80, fraction: 0.2 },
    });
  });

  it('shows malformed documents with what is wrong', () => {
    const view = runView(readRun({ _id: new ObjectId(), number: 7, detectors: null }), NOW);
    expect(view).toMatchObject({ run: 7, state: null, progress: null });
    expect(view.malformed.map(({ field }) => field)).toContain('detectors');
  });
});

describe('hostView', () => {
  it('calls a silent host dead, whatever it said last', () => {
    const document = {
      host: 'a.lab',
      state: 'idle',
      time: before(301),
      extras: { accepting: true },
    };
    expect(hostView(document, NOW, 300)).toMatchObject({ state: 'dead', accepting: false });
    const heard = hostView(document, NOW, 300, before(9));
    expect(heard).toMatchObject({ state: 'idle', ageSeconds: 9 });
    expect(hostView({ ...document, time: before(299) }, NOW, 300)).toMatchObject({
      state: 'idle',
      accepting: true,
      ageSeconds: 299,
    });
  });

  it('bears documents of other programs', () => {
    const extras = { runs: 'none', slots: 'two', thinking: 3, free_for_seconds: 1e300 };
    const view = hostView({ host: 'b', state: 'odd', time: NOW, extras }, NOW, 300);
    expect(view).toMatchObject({ state: 'busy', runs: [], slots: null, thinking: null });
  });
});

it('calls a host that takes no run and has none drained or blocked, not busy', () => {
  const said = (extras: Record<string, unknown>) =>
    hostView({ host: 'a.lab', state: 'busy', time: before(2), extras }, NOW, 300);
  const queue = { new: 0, held: 0, considering: 0, busy: 0, waiting: 0, due: 0 };
  const state = (extras: Record<string, unknown>) =>
    drawStatus({ time: NOW.toISOString(), hosts: [said(extras)], queue, runs: [] })
      .split('\n')[1]
      ?.split(/\s+/)[1];
  const no = { accepting: false, why_not: 'x', runs: [] };
  expect(state({ ...no, why_not_kind: 'drained' })).toBe('drained');
  expect(state({ ...no, why_not_kind: 'disk' })).toBe('blocked');
  expect(state({ accepting: true, runs: [7] })).toBe('busy');
});

it('draws hosts, the queue and a bar for each run', () => {
  const hosts = [
    hostView(
      { host: 'a.lab', state: 'busy', time: before(2), extras: { runs: [7], thinking: 'working' } },
      NOW,
      300,
    ),
  ];
  const queue = { new: 3, held: 2, considering: 0, busy: 1, waiting: 2, due: 1 };
  const runs = [runView(readRun(busyRun()), NOW)];
  expect(drawStatus({ time: NOW.toISOString(), hosts, queue, runs })).toBe(
    [
      'host   state  sign     runs  says',
      'a.lab  busy   2 s ago  7     working',
      '',
      'queue   3 new   2 held   1 due for a retry   1 waiting for a retry   1 in work',
      '',
      'run 7  tpc_bkg  busy on eb3.lab  peaks',
      `  [${'#'.repeat(15)}${'.'.repeat(15)}]  50 %  processing  20 s of data  12.5 MB/s  500 MB  10 s left`,
    ].join('\n'),
  );
});

it('says of a host which runs the database refuses of it, and how many', () => {
  const left_runs = Array.from({ length: 7 }, (_, i) => ({ run: `run ${i}`, why: 'too large' }));
  const queue = { new: 0, held: 0, considering: 0, busy: 0, waiting: 0, due: 0 };
  const drawn = (extras: Record<string, unknown>) => {
    const host = hostView({ host: 'a.lab', state: 'idle', time: NOW, extras }, NOW, 300);
    return drawStatus({ time: NOW.toISOString(), hosts: [host], queue, runs: [] });
  };
  expect(drawn({ thinking: 'waiting for runs', left_runs })).toContain(
    'waiting for runs; leaves 7 alone (run 0, run 1, run 2, run 3, run 4 and 2 more): the database refuses',
  );
  expect(drawn({ thinking: 'waiting for runs' })).not.toContain('alone');
});

it('lists what needs attention with what to do, without what somebody has taken on', () => {
  const item = (n: number, acknowledged: AttentionItem['acknowledged'] = null): AttentionItem => ({
    ...{ kind: 'given_up', run: n, host: null, since: null, seen: '', acknowledged },
    ...{ detail: null, cause: null, advice: null },
    ...{ key: `given_up:${n}`, what: `Run ${n} is given up`, todo: `retry ${n}` },
  });
  expect(drawAttention([])).toBe('');
  const known = item(99, { by: 'x', reason: 'mine', at: NOW.toISOString(), expires: null });
  const lines = drawAttention([known, ...Array.from({ length: 12 }, (_, i) => item(i))]).split(
    '\n',
  );
  expect(lines.slice(0, 3)).toEqual(['needs attention', '  Run 0 is given up', '    retry 0']);
  expect(lines.at(-1)).toBe('  and 2 more, on the page and with --json');
  expect(lines.join()).not.toContain('99');
});

it('says of a run that is claimed what it waits for, as long as it waits', () => {
  const waits_for = 'the worker to warm up, since 2026-01-01 00:59:30 UTC';
  const claimed = { state: 'considering', host: 'eb3.lab', time: before(1), waits_for };
  const queue = { new: 0, held: 0, considering: 1, busy: 0, waiting: 0, due: 0 };
  const drawn = (bootstrax: Record<string, unknown>) => {
    const runs = [runView(readRun(busyRun({ bootstrax })), NOW)];
    return drawStatus({ time: NOW.toISOString(), hosts: [], queue, runs });
  };
  expect(drawn(claimed)).toContain(
    `run 7  tpc_bkg  considering on eb3.lab\n  [${'.'.repeat(30)}] waits for ${waits_for}`,
  );
  expect(drawn({ ...claimed, state: 'busy' })).not.toContain('waits for');
});
