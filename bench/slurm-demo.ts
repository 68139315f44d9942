/**
 * A backlog on a real Slurm, shown: finished runs, one event builder with one place, and runs that are
 * taken meanwhile. Slurm of two nodes is started for it on the loopback interface, and ended; strax
 * itself has a stand-in. Ends with where each run was processed and how long it waited.
 *
 * Arguments: --runs 30 (of the backlog)  --live 6 (runs in between)
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

import { until } from '../tests/support/lab.ts';
import { SlurmLab } from '../tests/support/slurm-lab.ts';
import { endedRun } from '../tests/support/stand-in.ts';
import { printTable } from './figures.ts';

const BACKLOG = numberAfter('--runs', 30);
const LIVE = numberAfter('--live', 6);
const LONGEST_SECONDS = 1800;
const FIRST_LIVE = 1001;
/** A run is processed within this time: none of them waits for another one. */
const BETWEEN_MS = 10_000;
const PROGRAMS = ['sbatch', 'squeue', 'scancel', 'slurmctld', 'slurmd', 'munged'];

const lacking = await lackingPrograms();
if (lacking.length > 0) {
  console.error(`This needs a Slurm, and ${lacking.join(', ')} is not installed here.`);
  console.error('On Debian: apt-get install --no-install-recommends slurm-wlm munge procps');
  process.exit(2);
}
const slurm = await SlurmLab.start();
try {
  await show(slurm);
} finally {
  await slurm.end();
}

interface Shown {
  run: number;
  kind: 'backlog' | 'live';
  insertedMs: number;
}

async function show(on: SlurmLab): Promise<void> {
  const { lab } = on;
  await on.manager({
    options: { sleep_seconds: 3 },
    slurm: { backlogMinutes: 60, maxJobs: 8, maxPending: 4, submitsPerMinute: 60 },
    unproved: true,
  });
  await until('Slurm to take jobs', () =>
    lab.runsDatabase.collection('bootstrax').findOne({ cluster_ready: true }),
  );
  const shown: Shown[] = [];
  // First alone, for the comparison.
  await takeLive(on, shown, Math.ceil(LIVE / 3));
  await until('the first runs', () => isDone(on, shown.length), LONGEST_SECONDS);
  const alone = shown.length;
  const insertedMs = Date.now();
  for (const run of await on.finishedRuns(BACKLOG)) {
    shown.push({ run, kind: 'backlog', insertedMs });
  }
  console.log(`${BACKLOG} finished runs wait; runs are taken meanwhile`);
  await takeLive(on, shown, LIVE - alone);
  await until('all runs to be done', () => isDone(on, shown.length), LONGEST_SECONDS);
  const rows = await Promise.all(shown.map((each) => rowOf(on, each)));
  printTable('Where each run was processed', ['run', 'kind', 'where', 'waited, s'], rows);
  const waits = (from: number, to?: number) =>
    rows.slice(from, to).flatMap(([, kind, , seconds]) => (kind === 'live' ? [seconds] : []));
  printTable(
    'Until a live run began, s',
    ['', 'median', 'longest'],
    [
      ['alone', ...middleAndMost(waits(0, alone))],
      ['beside the backlog', ...middleAndMost(waits(alone))],
    ],
  );
}

async function takeLive({ lab }: SlurmLab, shown: Shown[], count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const run = FIRST_LIVE + shown.filter(({ kind }) => kind === 'live').length;
    shown.push({ run, kind: 'live', insertedMs: Date.now() });
    await lab.insertRuns(await endedRun(lab, run, 1));
    await delay(BETWEEN_MS);
  }
}

async function isDone({ lab }: SlurmLab, count: number): Promise<boolean> {
  return (await lab.runs.countDocuments({ 'bootstrax.state': 'done' })) === count;
}

type Row = [run: string, kind: string, where: string, seconds: number];

async function rowOf(on: SlurmLab, { run, kind, insertedMs }: Shown): Promise<Row> {
  const { bootstrax } = await on.lab.run(run);
  const started = (bootstrax as { started_processing?: Date }).started_processing;
  const where = await nodeOf(on, bootstrax.last_attempt ?? '');
  return [String(run), kind, where, ((started?.getTime() ?? NaN) - insertedMs) / 1000];
}

async function nodeOf(on: SlurmLab, attempt: string): Promise<string> {
  const owner = join(on.directory(attempt), 'begun', 'owner.json');
  const text = await readFile(owner, 'utf8').catch(() => null);
  if (text === null) return 'event builder';
  const { node, job } = JSON.parse(text) as { node: string; job: string };
  return `Slurm, ${node}, job ${job}`;
}

function middleAndMost(seconds: readonly number[]): [number, number] {
  const sorted = [...seconds].sort((one, other) => one - other);
  return [sorted[Math.floor(sorted.length / 2)] ?? NaN, sorted.at(-1) ?? NaN];
}

async function lackingPrograms(): Promise<string[]> {
  const found = PROGRAMS.map(async (name) => {
    const path = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;
    const env = { ...process.env, PATH: path };
    const which = promisify(execFile)('sh', ['-c', 'command -v "$1"', 'sh', name], { env });
    return which.then(
      () => [],
      () => [name],
    );
  });
  return (await Promise.all(found)).flat();
}

function numberAfter(name: string, standard: number): number {
  const at = process.argv.indexOf(name);
  const given = at < 0 ? standard : Number(process.argv[at + 1]);
  if (!(given > 0)) throw new Error(`${name} wants a number`);
  return given;
}
