/**
 * Attempts as jobs of a real Slurm on the loopback interface, with a stand-in for strax: how long a
 * backlog takes and what becomes of it, what runs that wait cost the database, and how soon a run is
 * done whose controller is away.
 *
 * Arguments: --runs 40 (of the backlog)  --waiting 200 (jobs at once)  --minutes 2 (of counting)
 */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { CountingProxy } from '../tests/support/counting-proxy.ts';
import { until } from '../tests/support/lab.ts';
import { SlurmLab } from '../tests/support/slurm-lab.ts';
import { report } from './figures.ts';

const RUNS = numberAfter('--runs', 40);
const WAITING = numberAfter('--waiting', 200);
const MINUTES = numberAfter('--minutes', 2);
const LONGEST_SECONDS = 1800;

const figures = {
  ...(await onSlurm(backlog)),
  ...(await onSlurm(awayController)),
  ...(await onSlurm(waiting)),
};
report('Jobs of a real Slurm', ['figure', 'value'], Object.entries(figures), figures);

type Figures = Record<string, number>;

async function onSlurm(measure: (slurm: SlurmLab) => Promise<Figures>): Promise<Figures> {
  const slurm = await SlurmLab.start();
  try {
    return await measure(slurm);
  } finally {
    await slurm.end();
  }
}

/** Finished runs, two nodes with four places each, one host. */
async function backlog(slurm: SlurmLab): Promise<Figures> {
  const { lab } = slurm;
  const numbers = await slurm.finishedRuns(RUNS);
  const begin = performance.now();
  await slurm.manager({ slurm: { maxJobs: 8, submitsPerMinute: 200 } });
  const isDone = async () =>
    (await lab.runs.countDocuments({ 'bootstrax.state': 'done' })) === numbers.length;
  await until('the backlog to be done', isDone, LONGEST_SECONDS);
  const seconds = (performance.now() - begin) / 1000;
  const attempts = await lab.attempts.find().toArray();
  const counted = attempts.filter(({ result }) => result?.counted === true).length;
  return {
    ...{ backlog_runs: numbers.length, backlog_seconds: seconds, backlog_counted: counted },
    backlog_attempts: attempts.length,
  };
}

/** The controller is killed while a run is processed, and comes back after its end. */
async function awayController(slurm: SlurmLab): Promise<Figures> {
  const { lab, cluster } = slurm;
  const [number = 0] = await slurm.finishedRuns(1);
  await slurm.manager({ options: { sleep_seconds: 20 } });
  const { bootstrax } = await lab.reached(number, ['busy'], 120);
  const pid = await readFile(join(cluster.directory, 'run/slurmctld.pid'), 'utf8');
  process.kill(Number(pid), 'SIGKILL');
  await lab.reached(number, ['done'], 180);
  const doneMs = Date.now();
  const { mtimeMs } = await stat(join(slurm.directory(bootstrax.attempt ?? ''), 'exit.json'));
  await cluster.revive();
  return { done_seconds_after_exit_without_controller: (doneMs - mtimeMs) / 1000 };
}

/** Jobs that wait: what their runs cost the database beside an idle manager. */
async function waiting(slurm: SlurmLab): Promise<Figures> {
  const { lab } = slurm;
  const proxy = await CountingProxy.start(Number(new URL(lab.url).port));
  try {
    const most = { maxJobs: WAITING, maxPending: WAITING, submitsPerMinute: 1000 };
    const free = await slurm.occupy();
    const manager = await slurm.manager({ slurm: most, url: proxy.url, renewSeconds: 10 });
    await manager.event('manager.ready', {}, 120);
    await delay(20_000);
    const idle = await perMinute(proxy);
    await slurm.finishedRuns(WAITING);
    const isThere = async () =>
      (await lab.runs.countDocuments({ 'bootstrax.job': { $exists: true } })) === WAITING;
    await until('all jobs to wait', isThere, LONGEST_SECONDS);
    await delay(20_000);
    const loaded = await perMinute(proxy);
    await manager.kill('SIGKILL');
    await free();
    return {
      ...{ waiting_jobs: WAITING, idle_commands_a_minute: idle },
      waiting_commands_a_minute_more: loaded - idle,
    };
  } finally {
    proxy.close();
  }
}

async function perMinute(proxy: CountingProxy): Promise<number> {
  proxy.reset();
  await delay(MINUTES * 60_000);
  return proxy.count / MINUTES;
}

function numberAfter(name: string, standard: number): number {
  const at = process.argv.indexOf(name);
  const given = at < 0 ? standard : Number(process.argv[at + 1]);
  if (!(given > 0)) throw new Error(`${name} wants a number`);
  return given;
}
