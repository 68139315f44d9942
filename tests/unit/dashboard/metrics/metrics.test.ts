import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';

import { fleetFamilies } from '../../../../src/dashboard/metrics/fleet-metrics.pure.ts';
import { hostFigures } from '../../../../src/dashboard/metrics/host-metrics.pure.ts';
import { CallHistograms } from '../../../../src/infra/metrics/call-metrics.pure.ts';
import { exposition, single } from '../../../../src/infra/metrics/exposition.pure.ts';
import { Histogram } from '../../../../src/infra/metrics/histogram.pure.ts';
import { type EndedFigures, HistoryTotals } from '../../../../src/retry/attempt-metrics.pure.ts';

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * 1000);

const ENDED: EndedFigures = {
  attempt: 'a'.repeat(24),
  ended: at(70),
  ofDebt: false,
  outcome: 'done',
  cause: 'finished',
  meaning: null,
  dropped: 0,
  seconds: 60,
  peakMemoryBytes: 3e9,
  bytes: 1000,
  times: {
    runStart: at(0),
    runEnd: at(60),
    noticed: at(1),
    claimed: at(1.02),
    started: at(2),
    firstChunk: at(4),
    firstOutput: at(7),
  },
};

/** Values by name and labels. */
function read(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}

describe('the text for Prometheus', () => {
  it('escapes what hosts and people have written', () => {
    const text = exposition([
      {
        name: 'a_total',
        type: 'counter',
        help: 'back\\slash\nand line',
        samples: [{ labels: { host: 'a"b\\c\nd{}' }, value: 1 }],
      },
      single('gauge', 'none', 'Left out.', null),
    ]);
    expect(text).toBe(
      '# HELP a_total back\\\\slash\\nand line\n# TYPE a_total counter\na_total{host="a\\"b\\\\c\\nd{}"} 1\n',
    );
  });

  it('has the buckets of a histogram, each with all that is below', () => {
    const histogram = new Histogram([1, 10]);
    for (const value of [0, 1, 1.5, 10, 11, 400]) histogram.observe(value);
    expect([...read(exposition([histogram.family('h', 'H.')]))]).toEqual([
      ['h_bucket{le="1"}', 2],
      ['h_bucket{le="10"}', 4],
      ['h_bucket{le="+Inf"}', 6],
      ['h_sum', 423.5],
      ['h_count', 6],
    ]);
  });
});

describe('what is counted of attempts', () => {
  it('is by outcome, cause and meaning, and how long each step took', () => {
    const totals = new HistoryTotals();
    totals.add(ENDED);
    totals.add({ ...ENDED, dropped: 2 });
    totals.add({
      ...ENDED,
      outcome: 'failed',
      cause: 'strax_error',
      meaning: 'plugin_error',
    });
    totals.add({ ...ENDED, outcome: 'superseded', cause: null, times: {}, peakMemoryBytes: null });
    const values = read(exposition(totals.families()));
    expect(values.get('bootstrax_attempts_total{outcome="done"}')).toBe(2);
    expect(values.get('bootstrax_attempts_total{outcome="failed"}')).toBe(1);
    expect(values.get('bootstrax_attempts_total{outcome="given_up"}')).toBe(0);
    expect(values.get('bootstrax_attempt_ends_total{end="strax_error"}')).toBe(1);
    expect(values.get('bootstrax_attempt_ends_total{end="none"}')).toBe(1);
    expect(values.get('bootstrax_attempt_failures_total{class="plugin_error"}')).toBe(1);
    expect(values.get('bootstrax_runs_done_in_part_total')).toBe(1);
    expect(values.get('bootstrax_processed_bytes_total')).toBe(2000);
    expect(values.get('bootstrax_attempt_peak_memory_bytes_count')).toBe(3);
    expect(values.get('bootstrax_notice_to_claim_seconds_bucket{le="0.01"}')).toBe(0);
    expect(values.get('bootstrax_notice_to_claim_seconds_bucket{le="0.025"}')).toBe(3);
    expect(values.get('bootstrax_claim_to_start_seconds_sum')).toBeCloseTo(2.94);
    expect(values.get('bootstrax_start_to_first_chunk_seconds_sum')).toBe(6);
    // Only of what was done.
    expect(values.get('bootstrax_run_start_to_first_output_seconds_sum')).toBe(14);
    expect(values.get('bootstrax_run_end_to_done_seconds_count')).toBe(2);
  });

  it('never gets more series, whatever a later release writes', () => {
    const totals = new HistoryTotals();
    const before = read(exposition(totals.families())).size;
    for (let i = 0; i < 50; i++) {
      totals.add({ ...ENDED, outcome: `new${i}`, cause: `new${i}`, meaning: `new${i}` });
    }
    const values = read(exposition(totals.families()));
    expect(values.size).toBe(before);
    expect(values.get('bootstrax_attempts_total{outcome="other"}')).toBe(50);
  });

  it('leaves attempts at debts out of all but their own counter', () => {
    const totals = new HistoryTotals();
    totals.add({ ...ENDED, ofDebt: true });
    const values = read(exposition(totals.families()));
    expect(values.get('bootstrax_debt_attempts_total{outcome="done"}')).toBe(1);
    const others = [...values].filter(([name]) => !name.startsWith('bootstrax_debt'));
    expect(others.every(([, value]) => value === 0)).toBe(true);
  });
});

const CARD = {
  ...{ host: 'eb0', time: '', pid: 1, role: null, slots: 1, runs: [7], accepting: true },
  ...{ whyNot: null, whyNotKind: null, worker: null, workerReady: true, thinking: null },
  condition: 'busy' as const,
  lastSign: at(95).toISOString(),
  ...{ cpuPercent: 12.5, memoryPercent: null, swapPercent: null, diskPercent: 80 },
  ...{ diskLimitPercent: 95, diskFullInHours: 2, liveDiskPercent: 60, liveDiskFullInHours: 1 },
  ...{ load: 3.5, clockSkewSeconds: -0.25 },
  cluster: {
    ...{ name: '', whyNot: null, blockedSeconds: null, running: 3, waiting: 2, most: 20 },
    ...{ oldestWaitSeconds: 300, silentSeconds: 12, nodes: [] },
  },
};

const READING = {
  now: at(100),
  recent: [
    { condition: 'done' as const, start: at(20).toISOString() },
    { condition: 'busy' as const, start: at(60).toISOString() },
  ],
  fresh: 3,
  freshHeld: 1,
  rows: [{ condition: 'held' }, { condition: 'given_up' }, { condition: 'busy' }],
  working: [
    { host: 'eb0', end: null, progress: { memoryBytes: 5e9, behindSeconds: 4 } },
    { host: null, end: null, progress: null },
  ],
  queue: {
    ...{ fresh: 3, held: 2, due: 1, later: 4, next: null, atLeast: false },
    oldest: { run: 1, start: at(40).toISOString() },
  },
  attention: [
    { kind: 'given_up', acknowledged: { by: 'anna' } },
    { kind: 'host_silent', acknowledged: null },
  ],
  hosts: [CARD],
  figures: [
    hostFigures({
      host: 'eb0',
      extras: {
        refused_writes: 2,
        database: { runs: { calls: 10, seconds: 0.5, unanswered: 1 }, daq: { calls: 'many' } },
      },
    }),
    hostFigures({ host: 'older', extras: { database: 'none' } }),
  ],
} as unknown as Parameters<typeof fleetFamilies>[0];

describe('the gauges of the fleet', () => {
  const values = read(exposition(fleetFamilies(READING)));

  it.each([
    ['bootstrax_runs{state="new"}', 3],
    ['bootstrax_runs{state="held"}', 2],
    ['bootstrax_runs{state="given_up"}', 1],
    ['bootstrax_runs{state="set_aside"}', 0],
    ['bootstrax_runs_capped', 0],
    ['bootstrax_recent_runs{state="done"}', 1],
    ['bootstrax_runs_being_taken', 2],
    ['bootstrax_newest_run_age_seconds', 40],
    ['bootstrax_processing_lag_seconds', 4],
    ['bootstrax_queue_oldest_age_seconds', 60],
    ['bootstrax_queue_retries{due="later"}', 4],
    ['bootstrax_attention_items{kind="given_up"}', 1],
    ['bootstrax_attention_unacknowledged_items{kind="given_up"}', 0],
    ['bootstrax_attention_unacknowledged_items{kind="host_silent"}', 1],
    ['bootstrax_host_state{host="eb0",state="busy"}', 1],
    ['bootstrax_host_state{host="eb0",state="silent"}', 0],
    ['bootstrax_host_heartbeat_age_seconds{host="eb0"}', 5],
    ['bootstrax_host_processing_memory_bytes{host="eb0"}', 5e9],
    ['bootstrax_host_cpu_used_ratio{host="eb0"}', 0.125],
    ['bootstrax_host_disk_full_seconds{host="eb0"}', 7200],
    ['bootstrax_host_live_disk_used_ratio{host="eb0"}', 0.6],
    ['bootstrax_host_live_disk_full_seconds{host="eb0"}', 3600],
    ['bootstrax_host_load{host="eb0"}', 3.5],
    ['bootstrax_slurm_ready{host="eb0"}', 1],
    ['bootstrax_slurm_jobs_running{host="eb0"}', 3],
    ['bootstrax_slurm_oldest_wait_seconds{host="eb0"}', 300],
    ['bootstrax_slurm_nodes_excluded{host="eb0"}', 0],
    ['bootstrax_host_clock_skew_seconds{host="eb0"}', -0.25],
    ['bootstrax_host_refused_writes_total{host="eb0"}', 2],
    ['bootstrax_host_database_calls_total{host="eb0",database="runs"}', 10],
  ])('%s', (name, value) => {
    expect(values.get(name)).toBe(value);
  });

  it('have nothing where nothing is known', () => {
    const names = [...values.keys()];
    expect(names).not.toContain('bootstrax_host_memory_used_ratio{host="eb0"}');
    expect(names.filter((name) => name.includes('older'))).toEqual([]);
    expect(names.filter((name) => name.includes('daq'))).toEqual([]);
    const nobody = { ...READING, recent: [], queue: { ...READING.queue, oldest: null } };
    const empty = read(exposition(fleetFamilies(nobody)));
    expect(empty.has('bootstrax_newest_run_age_seconds')).toBe(false);
    expect(empty.get('bootstrax_queue_oldest_age_seconds')).toBe(0);
  });
});

it('promtool finds nothing to object to', () => {
  const totals = new HistoryTotals();
  totals.add(ENDED);
  const calls = new CallHistograms();
  calls.add({ database: 'runs', seconds: 0.002, answered: true });
  calls.add({ database: 'daq', seconds: 10, answered: false });
  const text = exposition([...totals.families(), ...calls.families(), ...fleetFamilies(READING)]);
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: text,
    encoding: 'utf8',
  });
  expect(`${stdout}${stderr}`).toBe('');
  expect(status).toBe(0);
});
