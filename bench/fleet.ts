/**
 * A fleet beside a history of recent runs: database commands of an idle host, commands and lost
 * compare-and-sets of a claim, the time from inserting a run document until it is claimed, and the
 * memory of the embedded server. Managers are processes of their own, each behind a counting proxy; a
 * stand-in does the worker's part. The runs of the history are of 60 kB, nearly all of them done, and
 * lie within all windows that managers look back. Before the fleet begins, each query that managers
 * ask again and again is measured by itself.
 *
 * Arguments: --managers 1,2,8,24 (0: the queries alone)  --history 0,20000,100000
 * --minutes 2 (of the idle fleet)  --before 150 (seconds before that)  --claims 40  --pick-ups 60
 * --most-memory-gb 6 (of the server, and of all together: the benchmark ends there)
 */
import { setMaxListeners } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

import { findEmbedded, stopEmbedded } from '../src/infra/mongo/embedded/embedded-server.ts';
import { startCounting } from '../tests/support/counted-reads.ts';
import { CountingProxy } from '../tests/support/counting-proxy.ts';
import { Lab, type ManagerProcess } from '../tests/support/lab.ts';
import { configuration } from '../tests/support/small-machine.ts';
import { endedRun, makeStandIn } from '../tests/support/stand-in.ts';
import { printTable, quantile, report } from './figures.ts';
import { measureQueries } from './periodic-queries.ts';
import { cpuSeconds, MemoryGuard, memoryMb } from './process-use.ts';
import { fillWithRecentRuns } from './recent-runs.ts';

const MANAGERS = numbersAfter('--managers', [1, 2, 8, 24]);
const HISTORIES = numbersAfter('--history', [0, 20_000, 100_000]);
const [MINUTES] = numbersAfter('--minutes', [2]);
const [CLAIMS] = numbersAfter('--claims', [40]);
const [PICK_UPS] = numbersAfter('--pick-ups', [60]);
const [MOST_MEMORY_GB] = numbersAfter('--most-memory-gb', [6]);
/** By then the hosts know of each other who does the duty. */
const [BEFORE_SECONDS] = numbersAfter('--before', [150]);
/** Between two runs that are picked up: longer than hosts talk of the last one. */
const PICK_UP_GAP_SECONDS = 3;
const TIMEOUT_SECONDS = 120;
/** The defaults of a production machine but for disk and targets. */
const CONFIG = configuration({
  disk: { maxUsedPercent: 100, minFreeBytes: 0 },
  targets: { default: ['raw_records'], postProcessing: [] },
});
const FIRST_NUMBER = 500_000;
const BEGUN_SECONDS_AGO = 2;

interface Host {
  proxy: CountingProxy;
  manager: ManagerProcess;
  news: News;
}

interface Claims {
  claims: number;
  lost: number;
}

const rows: (string | number)[][] = [];
const queries: (string | number)[][] = [];
const figures: Record<string, unknown> = {};

/** Each query by itself, on a server that counts what it reads. */
async function measureAlone(lab: Lab, guard: MemoryGuard, history: number): Promise<void> {
  await stopEmbedded(databaseDir(lab));
  const read = await startCounting(lab);
  const server = await serverPid(lab);
  guard.follow(server);
  say(`${history} runs: the queries by themselves`);
  const found = await measureQueries(lab, server, read);
  figures[`queries beside ${history} runs`] = found;
  for (const { name, when, answered, read: readBy, ms, serverMs, grownMb } of found) {
    queries.push([history, name, answered, readBy, ms, serverMs, grownMb, when]);
  }
}

async function measure(
  lab: Lab,
  guard: MemoryGuard,
  history: number,
  count: number,
): Promise<void> {
  // What earlier measurements have left in its memory does not count.
  await stopEmbedded(databaseDir(lab));
  await lab.startServer();
  const server = await serverPid(lab);
  guard.follow(server);
  const name = `${history} runs, ${count} managers`;
  say(`${name}: starting`);
  const claims: Claims = { claims: 0, lost: 0 };
  const hosts = await startHosts(lab, count, claims);
  for (const { manager } of hosts) guard.follow(manager.child.pid!);
  try {
    say(`${name}: ready; idle for ${BEFORE_SECONDS} s, then measured for ${MINUTES} min`);
    await delay(BEFORE_SECONDS! * 1000);
    const idle = await idleFor(hosts, server, MINUTES!);
    say(`${name}: ${idle.commands.toFixed(1)} commands a minute and host: ${idle.places}`);
    const taken = await claimMany(lab, hosts, claims);
    say(
      `${name}: ${taken.perSecond.toFixed(1)} claims a second, ${taken.commands.toFixed(1)} commands each: ${taken.places}`,
    );
    const pickUps = await pickUpMany(lab, hosts, name);
    const memory = memoryMb(server);
    const peak = guard.peakMb(server);
    rows.push([
      ...[history, count, idle.commands, idle.serverPercent],
      ...[taken.perSecond, taken.commands, taken.lost],
      ...[quantile(pickUps, 0.5), quantile(pickUps, 0.99), Math.max(...pickUps), memory, peak],
    ]);
    figures[name] = {
      ...{ history, managers: count, idle_commands_per_minute_and_host: idle.commands },
      idle_commands: idle.byPlace,
      idle_server_cpu_percent: idle.serverPercent,
      ...{ claims_per_second: taken.perSecond, commands_per_claim: taken.commands },
      claim_commands: taken.byPlace,
      ...{ lost_per_claim: taken.lost, pick_up_p50_ms: quantile(pickUps, 0.5) },
      ...{ pick_up_p99_ms: quantile(pickUps, 0.99), pick_up_max_ms: Math.max(...pickUps) },
      ...{ server_mb: memory, server_peak_mb: peak },
    };
  } finally {
    await lab.endManagers();
    for (const { proxy } of hosts) proxy.close();
    await lab.runs.deleteMany({ number: { $gte: FIRST_NUMBER } });
  }
}

async function startHosts(lab: Lab, count: number, claims: Claims): Promise<Host[]> {
  const port = Number(new URL(lab.url).port);
  const python = await makeStandIn(lab);
  const hosts: Host[] = [];
  for (let i = 0; i < count; i++) {
    const proxy = await CountingProxy.start(port, {
      names: ['update'],
      on: ({ command, answer }) => {
        if (!isClaim(command)) return;
        claims.claims++;
        if (answer['n'] === 0) claims.lost++;
      },
    });
    const host = `bench${String(i).padStart(2, '0')}.test.local`;
    const output = join(lab.root, `out-${host}`);
    await mkdir(output, { recursive: true });
    const env = {
      ...{ BOOTSTRAX_MONGO_URL: proxy.url, BOOTSTRAX_OUTPUT: output },
      BOOTSTRAX_PYTHON: python,
    };
    const manager = await lab.manager({ host, config: CONFIG, env });
    hosts.push({ proxy, manager, news: new News(manager) });
  }
  for (const { manager } of hosts) await manager.event('worker.ready');
  return hosts;
}

function isClaim({ update, updates }: Record<string, unknown>): boolean {
  return update === 'runs' && JSON.stringify(updates).includes('"state":"considering"');
}

async function idleFor(hosts: readonly Host[], server: number, minutes: number) {
  for (const { proxy } of hosts) proxy.reset();
  const cpu = cpuSeconds(server);
  await delay(minutes * 60_000);
  const serverPercent = (100 * (cpuSeconds(server) - cpu)) / (minutes * 60);
  return { serverPercent, ...commandsOf(hosts, minutes * hosts.length) };
}

/** What the hosts have asked since the counts began, by what it was, each divided by `per`. */
function commandsOf(hosts: readonly Host[], per: number) {
  const byPlace: Record<string, number> = {};
  for (const { proxy } of hosts) {
    for (const [place, times] of proxy.places) {
      byPlace[place] = (byPlace[place] ?? 0) + times / per;
    }
  }
  const places = Object.entries(byPlace)
    .sort(([, a], [, b]) => b - a)
    .map(([place, times]) => `\n  ${times.toFixed(2)} ${place}`)
    .join('');
  const commands = hosts.reduce((sum, { proxy }) => sum + proxy.count, 0) / per;
  return { commands, byPlace, places };
}

/** Runs that are there all at once, until the last of them is claimed. */
async function claimMany(lab: Lab, hosts: readonly Host[], claims: Claims) {
  const numbers = Array.from({ length: CLAIMS! }, (_, i) => FIRST_NUMBER + i);
  const documents = await Promise.all(
    numbers.map((number) => endedRun(lab, number, BEGUN_SECONDS_AGO)),
  );
  for (const { proxy } of hosts) proxy.reset();
  Object.assign(claims, { claims: 0, lost: 0 });
  const begin = performance.now();
  await lab.insertRuns(...documents);
  await Promise.all(numbers.map((number) => claimed(hosts, number)));
  const seconds = (performance.now() - begin) / 1000;
  await Promise.all(numbers.map((number) => concluded(hosts, number)));
  return {
    perSecond: numbers.length / seconds,
    ...commandsOf(hosts, numbers.length),
    lost: claims.lost / numbers.length,
  };
}

/** From before the insertion of a document until a host says that it has claimed the run, in ms. */
async function pickUpMany(lab: Lab, hosts: readonly Host[], name: string): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < PICK_UPS!; i++) {
    const number = FIRST_NUMBER + 100_000 + i;
    const document = await endedRun(lab, number, BEGUN_SECONDS_AGO);
    await delay(1000 * PICK_UP_GAP_SECONDS * (0.5 + Math.random()));
    const begin = performance.now();
    await lab.insertRuns(document);
    times.push((await claimed(hosts, number)) - begin);
    await concluded(hosts, number);
    if (i % 20 === 19) say(`${name}: ${i + 1} of ${PICK_UPS} picked up`);
  }
  return times;
}

const claimed = (hosts: readonly Host[], number: number) => told(hosts, 'run.claimed', number);
const concluded = (hosts: readonly Host[], number: number) => told(hosts, 'attempt.ended', number);

/** When one of the hosts has told this of a run, as `performance.now()`. */
async function told(hosts: readonly Host[], event: string, number: number): Promise<number> {
  const limit = new AbortController();
  setMaxListeners(hosts.length, limit.signal);
  const timeout = setTimeout(() => limit.abort(), 1000 * TIMEOUT_SECONDS);
  try {
    return await Promise.any(hosts.map(({ news }) => news.of(event, number, limit.signal)));
  } catch {
    const stories = hosts.map(({ manager }) => manager.story().slice(-3000)).join('\n---\n');
    throw new Error(`waited in vain for ${event} of run ${number}:\n${stories}`);
  } finally {
    clearTimeout(timeout);
  }
}

/** Log lines of a manager about runs, with the time at which they came. */
class News {
  readonly #at = new Map<string, number>();
  readonly #waiting = new Map<string, (at: number) => void>();

  constructor({ child }: ManagerProcess) {
    for (const stream of [child.stdout!, child.stderr!]) {
      createInterface({ input: stream }).on('line', (line) => {
        const at = performance.now();
        if (!line.startsWith('{')) return;
        const { event, run } = JSON.parse(line) as Record<string, unknown>;
        if (typeof event !== 'string' || typeof run !== 'number') return;
        const key = `${event} ${run}`;
        if (!this.#at.has(key)) this.#at.set(key, at);
        this.#waiting.get(key)?.(at);
      });
    }
  }

  of(event: string, run: number, limit: AbortSignal): Promise<number> {
    const key = `${event} ${run}`;
    const at = this.#at.get(key);
    if (at !== undefined) return Promise.resolve(at);
    return new Promise((resolve, reject) => {
      this.#waiting.set(key, resolve);
      limit.addEventListener('abort', () => reject(new Error(key)), { once: true });
    });
  }
}

const databaseDir = (lab: Lab) => join(lab.root, 'database');

async function serverPid(lab: Lab): Promise<number> {
  return (await findEmbedded(databaseDir(lab)))!.identity.pid;
}

function numbersAfter(name: string, standard: number[]): number[] {
  const at = process.argv.indexOf(name);
  if (at < 0) return standard;
  const numbers = (process.argv[at + 1] ?? '').split(',').map(Number);
  if (numbers.some((number) => !(number >= 0))) throw new Error(`${name} wants numbers`);
  return numbers;
}

function say(text: string): void {
  console.error(`${new Date().toISOString().slice(11, 19)} ${text}`);
}

for (const history of HISTORIES) {
  const lab = await Lab.start({ warmPython: false });
  const guard = new MemoryGuard(MOST_MEMORY_GB! * 1000, () =>
    rm(lab.root, { recursive: true, force: true }),
  );
  try {
    guard.follow(await serverPid(lab));
    say(`filling the database with ${history} runs`);
    await fillWithRecentRuns(lab, history, (filled) => say(`${filled} of ${history} runs`));
    await measureAlone(lab, guard, history);
    for (const managers of MANAGERS.filter((count) => count > 0)) {
      await measure(lab, guard, history, managers);
    }
  } finally {
    guard.end();
    await lab.end();
  }
}
printTable(
  'What managers ask again and again, of the embedded server',
  ['history', 'query', 'answered', 'read', 'ms', 'server, ms', 'grown by MB', 'when'],
  queries,
);
report(
  'A fleet beside a history of recent runs of 60 kB',
  [
    ...['history', 'hosts', 'idle commands a minute and host', 'server, % of a core'],
    ...['claims a second', 'commands a claim', 'lost a claim'],
    ...['pick-up p50, ms', 'p99', 'max', 'server, MB', 'its largest'],
  ],
  rows,
  figures,
);
