import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { DashboardProcess } from '../../support/dashboard.ts';
import { Lab, PACKAGE, until } from '../../support/lab.ts';

const NOW = Date.now();
const ago = (seconds: number) => new Date(NOW - seconds * 1000);
const TOKEN = 'a-token-for-prometheus';
const HOSTILE = 'eb"1\\{}\n';

let lab: Lab;
let first: DashboardProcess;
let second: DashboardProcess;

/** Only told when a disk fills up. */
const FORECASTS = ['bootstrax_host_disk_full_seconds', 'bootstrax_host_live_disk_full_seconds'];

/** An attempt that ended so long ago. */
function attempt(index: number, ended: number, result: object, times: object = {}) {
  return {
    ...{ _id: index.toString(16).padStart(24, '0'), run: index, host: 'beta', failures: 0 },
    ...{ started: ago(ended + 60), ended: ago(ended), times },
    result: {
      ...{ outcome: 'done', cause: 'finished', counted: false, meaning: null, dropped: [] },
      ...{ seconds: 60, peakMemoryBytes: 3e9, bytes: 1000 },
      ...result,
    },
  };
}

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

async function metricsOf(dashboard: DashboardProcess): Promise<string> {
  return until('the past to be counted', async () => {
    const answer = await dashboard.get('/metrics');
    expect(answer.status).toBe(200);
    const text = await answer.text();
    return text.includes('\nbootstrax_history_complete 1\n') ? text : null;
  });
}

async function promtool(args: string[], input = ''): Promise<{ code: number; output: string }> {
  const child = spawn('promtool', args, { cwd: PACKAGE });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (piece: Buffer) => (output += piece.toString()));
  }
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number];
  return { code, output };
}

beforeAll(async () => {
  lab = await Lab.start();
  const failure = { outcome: 'failed', cause: 'strax_error', counted: true };
  const times = {
    ...{ runStart: ago(200), noticed: ago(199), claimed: ago(198.5), started: ago(198) },
    ...{ firstChunk: ago(195), firstOutput: ago(190), runEnd: ago(110) },
  };
  await lab.attempts.insertMany([
    attempt(1, 100, {}, times),
    attempt(2, 40, { dropped: ['peaks'] }),
    attempt(3, 86_400 * 30, { ...failure, meaning: { class: 'plugin_error' } }),
    attempt(4, 86_400 * 400, failure),
    attempt(5, 86_400 * 900, { outcome: 'superseded', cause: null }),
    // It has not ended.
    { ...attempt(6, 0, {}), ended: null, result: null },
  ] as never[]);
  const common = { mode: 'radon', detectors: ['tpc'], rate: {}, tags: [] };
  const daq = { daq_config: { processing_threads: { r: 1 } } };
  const run = (number: number, bootstrax: object) => ({
    ...{ ...common, ...daq, number, start: ago(4000 - number), end: ago(3900 - number), bootstrax },
    data: [{ type: 'live', host: 'daq', location: `/live/${number}` }],
  });
  await lab.insertRuns(
    run(1, {}),
    run(2, { state: 'failed', host: 'beta', time: ago(9), n_failures: 10, outcome: 'given_up' }),
    { ...run(3, {}), start: ago(20), end: null },
  );
  const host = { state: 'idle', role: 'primary', slots: 1, accepting: true, runs: [] };
  const figures = { calls: 7, seconds: 0.25, unanswered: 1 };
  const cluster = {
    ...{ name: '', whyNot: null, blockedSeconds: null, running: 1, waiting: 2, most: 4 },
    ...{ oldestWaitSeconds: 60, silentSeconds: 2, nodes: [] },
  };
  await lab.runsDatabase.collection('bootstrax').insertMany([
    {
      ...{ ...host, host: 'beta', time: ago(5), refused_writes: 3, cluster_facts: cluster },
      database: { runs: figures },
    },
    { ...host, host: HOSTILE, time: ago(90_000) },
  ]);
  await lab.client
    .db(lab.daqDb)
    .collection('eb_monitor')
    .insertOne({
      ...{ host: 'beta', time: ago(2), cpu_percent: 5, memory_percent: 50, swap_percent: 0 },
      ...{ disk_used: 70, live_disk_used: 60, load: 2, clock_skew: 0.1, targets: [] },
    });
  const config = join(lab.root, 'token.toml');
  await writeFile(config, `[dashboard]\nmetrics_token = "${TOKEN}"\n`, { mode: 0o600 });
  first = await DashboardProcess.start(lab);
  second = await DashboardProcess.start(lab, { BOOTSTRAX_CONFIG: config });
});
afterAll(async () => {
  await first?.end();
  await second?.end();
  await lab?.end();
});

describe('what Prometheus reads', () => {
  it('is in its format, and promtool finds nothing to object to', async () => {
    const answer = await first.get('/metrics');
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const checked = await promtool(['check', 'metrics'], await metricsOf(first));
    expect(checked).toEqual({ code: 0, output: '' });
  });

  it('tells of history, runs, hosts and databases', async () => {
    const values = read(await metricsOf(first));
    const expected = {
      'bootstrax_attempts_total{outcome="done"}': 2,
      'bootstrax_attempts_total{outcome="failed"}': 2,
      'bootstrax_attempts_total{outcome="superseded"}': 1,
      'bootstrax_attempt_failures_total{class="plugin_error"}': 1,
      bootstrax_runs_done_in_part_total: 1,
      bootstrax_notice_to_claim_seconds_sum: 0.5,
      bootstrax_claim_to_start_seconds_sum: 0.5,
      bootstrax_start_to_first_chunk_seconds_sum: 3,
      bootstrax_run_start_to_first_output_seconds_sum: 10,
      bootstrax_run_end_to_done_seconds_sum: 10,
      'bootstrax_runs{state="new"}': 2,
      'bootstrax_runs{state="given_up"}': 1,
      bootstrax_runs_being_taken: 1,
      'bootstrax_attention_unacknowledged_items{kind="given_up"}': 1,
      'bootstrax_attention_unacknowledged_items{kind="host_silent"}': 1,
      'bootstrax_host_state{host="beta",state="idle"}': 1,
      'bootstrax_host_state{host="eb\\"1\\\\{}\\n",state="silent"}': 1,
      'bootstrax_host_disk_used_ratio{host="beta"}': 0.7,
      'bootstrax_host_refused_writes_total{host="beta"}': 3,
      'bootstrax_host_database_calls_total{host="beta",database="runs"}': 7,
      'bootstrax_database_up{database="runs"}': 1,
      'bootstrax_database_up{database="daq"}': 1,
      bootstrax_reading_complete: 1,
    };
    const found = Object.keys(expected).map((name) => [name, values.get(name)]);
    expect(Object.fromEntries(found)).toEqual(expected);
    expect(values.get('bootstrax_queue_oldest_age_seconds')).toBeGreaterThan(3990);
    const age = values.get('bootstrax_host_heartbeat_age_seconds{host="beta"}')!;
    expect(age).toBeGreaterThan(1);
    expect(age).toBeLessThan((Date.now() - NOW) / 1000 + 10);
  });

  it('is the same of the history on every dashboard', async () => {
    const history = async (dashboard: DashboardProcess) =>
      (await metricsOf(dashboard))
        .split('\n')
        .filter((line) => /^bootstrax_(attempt|notice|claim|start|run_|debt)/.test(line));
    const told = await history(first);
    expect(told.length).toBeGreaterThan(100);
    expect(await history(second)).toEqual(told);
  });

  it('names everything that alert rules and the Grafana dashboard ask for', async () => {
    const names = new Set(
      [...read(await metricsOf(first)).keys()].map((key) => key.split('{')[0]!),
    );
    const asked = [
      await readFile(join(PACKAGE, 'config/prometheus/bootstrax-alerts.yml'), 'utf8'),
      await readFile(join(PACKAGE, 'config/grafana/bootstrax.json'), 'utf8'),
      await readFile(join(PACKAGE, 'docs/metrics.md'), 'utf8'),
    ].map((text) => [...text.matchAll(/\b(bootstrax|process)_[a-z_]+/g)].map(([name]) => name));
    for (const each of asked) expect(each.length).toBeGreaterThan(10);
    const known = [...names].map((name) => name.replace(/_(bucket|sum|count)$/, ''));
    const all = new Set([...names, ...known, ...FORECASTS]);
    const others = ['bootstrax_attempts', 'bootstrax_dashboard'];
    const unknown = asked.flat().filter((name) => !all.has(name) && !others.includes(name));
    expect(unknown).toEqual([]);
    // The documentation leaves nothing out.
    expect(known.filter((name) => !asked[2]!.includes(name))).toEqual([]);
  });
});

describe('the alert rules', () => {
  it('are right, and fire when they should and not otherwise', async () => {
    const folder = 'config/prometheus';
    const checked = await promtool(['check', 'rules', `${folder}/bootstrax-alerts.yml`]);
    expect(checked.code, checked.output).toBe(0);
    const tested = await promtool(['test', 'rules', `${folder}/bootstrax-alerts.test.yml`]);
    expect(tested.code, tested.output).toBe(0);
  });
});

it('the metrics are for those who send the token, and for nobody by a wrong one', async () => {
  // What comes through a proxy is no longer this machine's user.
  const proxied = { 'x-forwarded-for': '192.0.2.7' };
  const status = async (dashboard: DashboardProcess, headers: Record<string, string>) =>
    (await dashboard.get('/metrics', { ...proxied, ...headers })).status;
  expect(await status(second, { authorization: `Bearer ${TOKEN}` })).toBe(200);
  expect(await status(second, {})).toBe(401);
  for (const wrong of [`Bearer ${TOKEN}x`, 'Bearer', 'Bearer ', `Basic ${TOKEN}`, TOKEN]) {
    expect(await status(second, { authorization: wrong }), wrong).toBe(401);
  }
  expect(await status(first, { authorization: 'Bearer null' })).toBe(401);
  const headers = { ...proxied, authorization: `Bearer ${TOKEN}` };
  expect((await second.get('/api/runs', headers)).status).toBe(401);
});

it('without its database the dashboard says so, to Prometheus and to who asks whether it is well', async () => {
  const well = await first.get('/healthz', { 'x-forwarded-for': '192.0.2.7' });
  expect([well.status, await well.json()]).toEqual([200, { status: 'ok' }]);
  const before = read(await metricsOf(first));
  await lab.signalServer('SIGKILL');
  try {
    const ill = await until('it to notice', async () => {
      const answer = await first.get('/healthz');
      return answer.status === 503 ? answer : null;
    });
    const text = await ill.text();
    expect(JSON.parse(text)).toEqual({ status: 'database away' });
    const values = await until('the metrics to tell', async () => {
      const answer = await first.get('/metrics');
      expect(answer.status).toBe(200);
      const told = read(await answer.text());
      return told.get('bootstrax_reading_complete') === 0 ? told : null;
    });
    expect(values.get('bootstrax_database_up{database="runs"}')).toBe(0);
    // What was counted stays counted; what is no longer known is left out.
    const done = 'bootstrax_attempts_total{outcome="done"}';
    expect(values.get(done)).toBe(before.get(done));
    expect(values.has('bootstrax_runs{state="new"}')).toBe(false);
  } finally {
    await lab.startServer();
  }
  await until('it to be well again', async () => (await first.get('/healthz')).status === 200);
});
