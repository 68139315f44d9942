/**
 * The dashboard before 100,000 runs and 100 hosts in the embedded database: how soon its pages are there
 * in a real Chromium, how long each filter takes, how soon an update is seen, and the memory of its server
 * after many thousand updates with 20 open streams. The hosts send heartbeats all the while.
 *
 * Arguments: --runs N, --hosts N, --updates N.
 */
import { loadavg } from 'node:os';
import type { Browser, Page } from 'playwright-core';

import { counted } from '../src/infra/values/counted.pure.ts';
import type { RunsAnswer } from '../src/readmodel/api.ts';
import { type Condition, CONDITIONS } from '../src/readmodel/run-condition.pure.ts';
import { startBrowser } from '../tests/browser/browser.ts';
import { DashboardProcess } from '../tests/support/dashboard.ts';
import { Lab, until } from '../tests/support/lab.ts';
import {
  changeSeen,
  chooseState,
  manyUpdates,
  newRunSeen,
  openPage,
  OpenStream,
  type PageLoad,
} from './dashboard-figures.ts';
import { median, quantile, report } from './figures.ts';
import { fillDatabases, hostName, LifeOfHosts } from './large-fleet.ts';
import { cpuSeconds, memoryMb, peakMemoryMb } from './process-use.ts';

const args = process.argv.slice(2);
const argument = (name: string, otherwise: number): number => {
  const at = args.indexOf(`--${name}`);
  return at >= 0 ? Number(args[at + 1]) : otherwise;
};
const SIZE = { runs: argument('runs', 100_000), hosts: argument('hosts', 100) };
const UPDATES = argument('updates', 20_000);
const STREAMS = 20;
const LOADS = 7;
const CHANGES_SEEN = 20;
const FILTER_ROUNDS = 5;
/** All of these have runs. */
const CHOSEN: Condition[] = ['debt', 'done', 'given_up', 'abandoned', 'busy', 'retrying'];
const FILTERS: Record<string, string>[] = [
  ...CONDITIONS.map((condition) => ({ condition })),
  { mode: 'tpc_noise' },
  { detector: 'muon_veto' },
  { host: hostName(7) },
  { tag: '_sciencerun1' },
  { tag: 'earthquake' },
  { tag: 'none has this tag' },
  { from: '1000', to: '2000' },
  { condition: 'abandoned', mode: 'tpc_rn220', detector: 'tpc', tag: '_sciencerun1' },
];

async function timedMs(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

async function repeat<T>(times: number, work: (i: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let i = 0; i < times; i++) results.push(await work(i));
  return results;
}

const lab = await Lab.start({ warmPython: false });
const daqDb = lab.client.db(lab.daqDb);
const life = new LifeOfHosts(daqDb, lab.runsDatabase, SIZE);
const streams: OpenStream[] = [];
let dashboard: DashboardProcess | null = null;
let browser: Browser | null = null;
try {
  const fillMs = await timedMs(() => fillDatabases(lab.runsDatabase, daqDb, SIZE));
  console.error(`Databases filled in ${(fillMs / 1000).toFixed(0)} s.`);
  life.start();
  const loadBefore = loadavg()[0]!;
  // The second start finds what the first one has left at the server.
  const first = await DashboardProcess.start(lab);
  await first.json('/api/runs');
  await first.end();
  const begun = performance.now();
  const server = await DashboardProcess.start(lab);
  dashboard = server;
  await server.json('/api/runs');
  const answerMs = performance.now() - begun;
  const chromium = await startBrowser();
  browser = chromium;
  const cold = await openPage(chromium, server, '/');
  await until(
    'all runs to be counted',
    async () => (await server.json<RunsAnswer>('/api/runs')).total === SIZE.runs,
    1200,
  );
  const countedSeconds = (performance.now() - begun) / 1000;
  const now = await repeat(LOADS, () => openPage(chromium, server, '/'));
  const runs = await repeat(LOADS, () => openPage(chromium, server, '/runs'));

  const filters: { name: string; ms: number[] }[] = [];
  for (const filter of FILTERS) {
    const query = new URLSearchParams(filter).toString();
    const ms = await repeat(FILTER_ROUNDS, () => timedMs(() => server.json(`/api/runs?${query}`)));
    filters.push({ name: query, ms });
    console.error(`${query}: ${ms.map((each) => each.toFixed(0)).join(', ')} ms`);
  }
  const page = await chromium.newPage({ viewport: { width: 1440, height: 900 } });
  const show = async (path: string, on: Page = page) => {
    await on.goto(new URL(path, server.url).href);
    await on.locator('section.panel[aria-busy=false]').first().waitFor();
  };
  await show('/runs');
  const chosen: number[] = [];
  for (const condition of CHOSEN) chosen.push(await chooseState(page, condition));

  await show('/');
  const strip = SIZE.runs - Math.floor(SIZE.hosts / 5) - 20;
  const seen = await repeat(CHANGES_SEEN, (i) => changeSeen(page, lab, strip - i));
  await show('/runs');
  seen.push(...(await repeat(CHANGES_SEEN, (i) => newRunSeen(page, lab, SIZE.runs + 1 + i))));
  await page.close();

  streams.push(...Array.from({ length: STREAMS }, () => new OpenStream(server.url)));
  const memoryBefore = memoryMb(server.pid);
  const cpuBefore = cpuSeconds(server.pid);
  const stormMs = await timedMs(() => manyUpdates(lab, SIZE.runs, UPDATES));
  const cpuPercent = (100 * (cpuSeconds(server.pid) - cpuBefore)) / (stormMs / 1000);
  const memoryAfter = memoryMb(server.pid);
  const memoryPeak = peakMemoryMb(server.pid);
  if (streams.some(({ bytes }) => bytes === 0)) throw new Error('a stream told nothing');
  const loadAfter = loadavg()[0]!;

  const paint = (loads: PageLoad[]) => median(loads.map(({ paintMs }) => paintMs));
  const there = (loads: PageLoad[]) => median(loads.map(({ thereMs }) => thereMs));
  const slowest = filters.reduce((a, b) => (median(a.ms) >= median(b.ms) ? a : b));
  const anyMost = Math.max(...filters.flatMap(({ ms }) => ms));
  report(
    `The dashboard before ${SIZE.runs} runs and ${counted(SIZE.hosts, 'host')} (load of the machine ${loadBefore.toFixed(1)} to ${loadAfter.toFixed(1)})`,
    ['', 'measured', 'expected'],
    [
      ['from its start to the first page of runs, ms', answerMs, ''],
      ['Now, the very first time: first paint, ms', cold.paintMs, 'under 1000'],
      ['the same: all panels there, ms', cold.thereMs, ''],
      ['Now: first paint, ms (median)', paint(now), 'under 1000'],
      ['Now: all panels there, ms (median)', there(now), 'under 1000'],
      ['Runs: first paint, ms (median)', paint(runs), 'under 1000'],
      ['Runs: table there, ms (median)', there(runs), 'under 1000'],
      ['all runs counted, s after its start', countedSeconds, ''],
      [`slowest filter (${slowest.name}), ms (median)`, median(slowest.ms), 'under 500'],
      ['any filter, ms (at most)', anyMost, 'under 500'],
      ['a state chosen to its table shown, ms (median)', median(chosen), 'under 500'],
      ['the same, ms (at most)', Math.max(...chosen), 'under 500'],
      ['an update from its write to the screen, ms (median)', median(seen), 'under 1000'],
      ['the same, ms (at most)', Math.max(...seen), 'under 1000'],
      [`server before ${UPDATES} updates, MB`, memoryBefore, ''],
      [`server after them, ${STREAMS} streams open, MB`, memoryAfter, 'under 300'],
      ['its largest size so far, MB', memoryPeak, 'under 300'],
      ['updates a second', UPDATES / (stormMs / 1000), ''],
      ['processor of the server meanwhile, % of one core', cpuPercent, ''],
    ],
    {
      runs: SIZE.runs,
      hosts: SIZE.hosts,
      load_before: loadBefore,
      load_after: loadAfter,
      start_to_answer_ms: answerMs,
      now_cold_paint_ms: cold.paintMs,
      now_cold_there_ms: cold.thereMs,
      now_paint_ms: paint(now),
      now_there_ms: there(now),
      runs_paint_ms: paint(runs),
      runs_there_ms: there(runs),
      counted_after_s: countedSeconds,
      slowest_filter_ms: median(slowest.ms),
      any_filter_ms: anyMost,
      chosen_ms: median(chosen),
      chosen_most_ms: Math.max(...chosen),
      update_seen_ms: median(seen),
      update_seen_p95_ms: quantile(seen, 0.95),
      update_seen_most_ms: Math.max(...seen),
      memory_before_mb: memoryBefore,
      memory_after_mb: memoryAfter,
      memory_peak_mb: memoryPeak,
      updates: UPDATES,
      updates_per_s: UPDATES / (stormMs / 1000),
      streams: STREAMS,
    },
  );
} finally {
  life.stop();
  for (const stream of streams) stream.stop();
  await browser?.close();
  await dashboard?.end();
  await lab.end();
}
