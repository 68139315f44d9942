/**
 * A larger run (at least 1 GB of live data, all targets that run offline, two workers and
 * multiprocessing) through the manager against plain `st.make` with the same plan in an equally warm
 * process, alternating; and what the manager itself needs meanwhile.
 *
 * Arguments: --pairs N, --seconds S (length of the run), --rate HZ.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { Lab, PACKAGE, PYTHON, SMALL_MACHINE, until } from '../tests/support/lab.ts';
import { median, report } from './figures.ts';
import { finishedRun } from './live-run.ts';
import { cpuSeconds, peakMemoryMb } from './process-use.ts';

const args = process.argv.slice(2);
const option = (name: string, fallback: number): number => {
  const at = args.indexOf(name);
  return at >= 0 ? Number(args[at + 1]) : fallback;
};
const PAIRS = option('--pairs', 5);
const SECONDS = option('--seconds', 24);
const RATE = option('--rate', 600);
const HOST = 'bench.test.local';
const CONTEXT = 'bootstrax_worker.contexts.local_xenonnt:local_xenonnt';
const TARGETS = ['peak_basics', 'online_peak_monitor', 'events_mv', 'online_monitor_mv'];

const lab = await Lab.start({ warmPython: false });
try {
  console.error('writing live data ...');
  const { document } = await finishedRun(lab, 1, [
    ...['--seconds', String(SECONDS), '--rate', String(RATE), '--detectors', 'tpc,muon_veto'],
  ]);
  let live = join(lab.live, '000001');
  const gigabytes = (await bytesBelow(live)) / 1e9;
  console.error(`${gigabytes.toFixed(2)} GB of live data; warming up two workers ...`);
  const manager = await lab.manager({
    host: HOST,
    context: CONTEXT,
    config: `${SMALL_MACHINE.replace('renew_seconds = 1\n', '').replaceAll('cores = 1', 'cores = 2').replaceAll('timeout_seconds = 60', 'timeout_seconds = 600')}
[targets]
default = ${JSON.stringify(TARGETS)}
post_processing = ["raw_records"]
`,
  });
  await manager.event('worker.ready', { warm: true });
  const plain = spawn(PYTHON, [join(PACKAGE, 'tests/support/plain_make.py'), 'warm', CONTEXT], {
    env: { ...process.env, PYTHONPATH: join(PACKAGE, 'worker') },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const answers: string[] = [];
  createInterface({ input: plain.stdout }).on('line', (line) => answers.push(line));
  await until('the plain process to be warm', () => answers.includes('ready'));
  const pid = manager.child.pid!;
  const managed: number[] = [];
  const unmanaged: number[] = [];
  const cpuPercents: number[] = [];
  // The first pair warms caches and is not counted.
  for (let pair = -1; pair < PAIRS; pair++) {
    const number = 10 + pair;
    const moved = join(lab.live, String(number).padStart(6, '0'));
    await rename(live, moved);
    live = moved;
    const cpuBefore = cpuSeconds(pid);
    const begin = performance.now();
    await lab.insertRuns({ ...document, number });
    // Asking the database again and again would cost as much as what is measured.
    const ended = await manager.event('attempt.ended', { run: number });
    if (ended['outcome'] !== 'done') throw new Error(manager.story());
    const managedSeconds = (performance.now() - begin) / 1000;
    const cpuPercent = (100 * (cpuSeconds(pid) - cpuBefore)) / managedSeconds;
    await emptied(lab.output);

    const [attempt] = await lab.attempts.find({ run: number }).toArray();
    const planFile = join(lab.root, 'plan.json');
    await writeFile(planFile, JSON.stringify(attempt?.plan));
    const output = join(lab.root, 'plain');
    answers.length = 0;
    plain.stdin.write(`${planFile} ${output}\n`);
    const line = await until(
      'the plain process',
      () => answers.find((a) => a.startsWith('{')),
      1800,
    );
    const answer = JSON.parse(line) as { code: number; seconds: number };
    if (answer.code !== 0) throw new Error('plain st.make failed');
    await rm(output, { recursive: true });
    console.error(
      `pair ${pair + 1}: managed ${managedSeconds.toFixed(1)} s, plain ${answer.seconds.toFixed(1)} s`,
    );
    if (pair < 0) continue;
    managed.push(managedSeconds);
    unmanaged.push(answer.seconds);
    cpuPercents.push(cpuPercent);
  }
  plain.kill();
  const ratio = median(managed.map((seconds, i) => seconds / unmanaged[i]!));
  report(
    `A run of ${gigabytes.toFixed(2)} GB, two workers, multiprocessing`,
    ['', 'measured', 'expected'],
    [
      ['managed, document to done, s (median)', median(managed), ''],
      ['plain st.make, s (median)', median(unmanaged), ''],
      ['ratio (median of pairs)', ratio, 'at most 1.03'],
      ['manager, largest resident size, MB', peakMemoryMb(pid), 'under 150'],
      ['manager, % of one core (median)', median(cpuPercents), 'under 2'],
    ],
    {
      live_gb: gigabytes,
      managed_s: median(managed),
      plain_s: median(unmanaged),
      ratio,
      manager_peak_mb: peakMemoryMb(pid),
      manager_cpu_percent: median(cpuPercents),
      pairs: PAIRS,
    },
  );
} finally {
  await lab.end();
}

async function bytesBelow(folder: string): Promise<number> {
  let sum = 0;
  for (const entry of await readdir(folder, { recursive: true })) {
    const found = await stat(join(folder, entry));
    if (found.isFile()) sum += found.size;
  }
  return sum;
}

async function emptied(folder: string): Promise<void> {
  for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true });
}
