/**
 * A larger run (at least 1 GB of live data, all targets that run offline, two workers and
 * multiprocessing) through the manager against plain `st.make` with the same plan in an equally warm
 * process, alternating; and what the manager itself needs meanwhile.
 *
 * Arguments: --pairs N, --seconds S (length of the run), --rate HZ; --against VERSION: that release
 * processes the run in each pair as well.
 */
import { spawn } from 'node:child_process';
import { readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { Lab, type ManagerProcess, PACKAGE, PYTHON, until } from '../tests/support/lab.ts';
import { resourcesOfAll, smallMachine } from '../tests/support/small-machine.ts';
import { median, report } from './figures.ts';
import { finishedRun } from './live-run.ts';
import { cpuSeconds, peakMemoryMb } from './process-use.ts';
import { inTurn, printRatios, type State, withStates } from './states.ts';

const args = process.argv.slice(2);
const option = (name: string): string | null => {
  const at = args.indexOf(name);
  return at >= 0 ? (args[at + 1] ?? null) : null;
};
const PAIRS = Number(option('--pairs') ?? 5);
const SECONDS = Number(option('--seconds') ?? 24);
const RATE = Number(option('--rate') ?? 600);
const AGAINST = option('--against');
const HOST = 'bench.test.local';
const CONTEXT = 'bootstrax_worker.contexts.local_xenonnt:local_xenonnt';
const TARGETS = ['peak_basics', 'online_peak_monitor', 'events_mv', 'online_monitor_mv'];

const CONFIG = smallMachine(resourcesOfAll({ cores: 2, maxMessages: 4, timeoutSeconds: 600 }), {
  limits: { renewSeconds: undefined },
  targets: { default: TARGETS, postProcessing: ['raw_records'] },
});
const PLAIN_MAKE = join(PACKAGE, 'tests/support/plain_make.py');
const FIGURES = {
  seconds: 'document to done, s',
  managerCpuPercent: 'manager, % of one core',
};
type Figures = Record<keyof typeof FIGURES, number>;

/** A manager, with a database and output of its own; all read the same live data. */
class Side {
  private constructor(
    readonly name: string,
    readonly lab: Lab,
    readonly manager: ManagerProcess,
  ) {}

  static async begin({ name, release }: State, live: string | null): Promise<Side> {
    const lab = await Lab.start({ warmPython: false });
    const manager = await lab.manager({
      host: HOST,
      context: CONTEXT,
      config: CONFIG,
      env: { BOOTSTRAX_LIVE_DATA: live ?? lab.live },
      ...(release === undefined ? {} : { release }),
    });
    return new Side(name, lab, manager);
  }

  get pid(): number {
    return this.manager.child.pid!;
  }

  async process(document: Record<string, unknown>, number: number): Promise<Figures> {
    const cpuBefore = cpuSeconds(this.pid);
    const begin = performance.now();
    await this.lab.insertRuns({ ...document, number });
    // Asking the database again and again would cost as much as what is measured.
    const ended = await this.manager.event('attempt.ended', { run: number });
    if (ended['outcome'] !== 'done') throw new Error(this.manager.story());
    const seconds = (performance.now() - begin) / 1000;
    const managerCpuPercent = (100 * (cpuSeconds(this.pid) - cpuBefore)) / seconds;
    await emptied(this.lab.output);
    return { seconds, managerCpuPercent };
  }

  async planOf(number: number): Promise<unknown> {
    const [attempt] = await this.lab.attempts.find({ run: number }).toArray();
    return attempt?.plan;
  }
}

/** strax alone, in a process that is as warm. */
class Plain {
  readonly #child = spawn(PYTHON, [PLAIN_MAKE, 'warm', CONTEXT], {
    env: { ...process.env, PYTHONPATH: join(PACKAGE, 'worker') },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  #answers: string[] = [];

  constructor() {
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#answers.push(line));
  }

  async isWarm(): Promise<void> {
    await until('the plain process to be warm', () => this.#answers.includes('ready'));
  }

  /** Answers the seconds that it took. */
  async make(plan: unknown, root: string): Promise<number> {
    const planFile = join(root, 'plan.json');
    await writeFile(planFile, JSON.stringify(plan));
    const output = join(root, 'plain');
    this.#answers = [];
    this.#child.stdin.write(`${planFile} ${output}\n`);
    const line = await until(
      'the plain process',
      () => this.#answers.find((answer) => answer.startsWith('{')),
      1800,
    );
    const answer = JSON.parse(line) as { code: number; seconds: number };
    if (answer.code !== 0) throw new Error('plain st.make failed');
    await rm(output, { recursive: true });
    return answer.seconds;
  }

  end(): void {
    this.#child.kill();
  }
}

await withStates(AGAINST, async (states) => {
  const sides: Side[] = [];
  const plain = new Plain();
  try {
    for (const state of states) sides.push(await Side.begin(state, sides[0]?.lab.live ?? null));
    await measure(sides, plain);
  } finally {
    plain.end();
    for (const { lab } of sides) await lab.end();
  }
});

async function measure(sides: readonly Side[], plain: Plain): Promise<void> {
  const [now] = sides as [Side];
  console.error('writing live data, and warming up ...');
  const { document } = await finishedRun(now.lab, 1, [
    ...['--seconds', String(SECONDS), '--rate', String(RATE), '--detectors', 'tpc,muon_veto'],
  ]);
  let live = join(now.lab.live, '000001');
  const gigabytes = (await bytesBelow(live)) / 1e9;
  for (const { manager } of sides) await manager.event('worker.ready', { warm: true });
  await plain.isWarm();
  const rounds: Figures[][] = [];
  const unmanaged: number[] = [];
  // The first round warms caches and is not counted.
  for (let round = -1; round < PAIRS; round++) {
    const number = 10 + round;
    const moved = join(now.lab.live, String(number).padStart(6, '0'));
    await rename(live, moved);
    live = moved;
    const found = new Map<Side, Figures>();
    for (const side of inTurn(sides, round + 1)) {
      found.set(side, await side.process(document, number));
    }
    const seconds = await plain.make(await now.planOf(number), now.lab.root);
    const told = [...found].map(([{ name }, each]) => `${name} ${each.seconds.toFixed(1)} s`);
    console.error(`pair ${round + 1}: ${told.join(', ')}, plain ${seconds.toFixed(1)} s`);
    if (round < 0) continue;
    rounds.push(sides.map((side) => found.get(side)!));
    unmanaged.push(seconds);
  }
  const title = `A run of ${gigabytes.toFixed(2)} GB, two workers, multiprocessing`;
  const ratios = AGAINST === null ? {} : printRatios(title, AGAINST, FIGURES, rounds);
  const managed = rounds.map(([first]) => first!);
  tell(title, { gigabytes, managed, unmanaged, peakMb: peakMemoryMb(now.pid), ratios });
}

interface Measured {
  gigabytes: number;
  managed: readonly Figures[];
  unmanaged: readonly number[];
  peakMb: number;
  /** Against a release; empty without one. */
  ratios: Record<string, unknown>;
}

function tell(title: string, { gigabytes, managed, unmanaged, peakMb, ratios }: Measured): void {
  const seconds = managed.map((each) => each.seconds);
  const cpuPercent = median(managed.map(({ managerCpuPercent }) => managerCpuPercent));
  const ratio = median(seconds.map((each, i) => each / unmanaged[i]!));
  report(
    title,
    ['', 'measured', 'expected'],
    [
      ['managed, document to done, s (median)', median(seconds), ''],
      ['plain st.make, s (median)', median(unmanaged), ''],
      ['ratio (median of pairs)', ratio, 'at most 1.03'],
      ['manager, largest resident size, MB', peakMb, 'under 150'],
      ['manager, % of one core (median)', cpuPercent, 'under 2'],
    ],
    {
      live_gb: gigabytes,
      managed_s: median(seconds),
      plain_s: median(unmanaged),
      ratio,
      manager_peak_mb: peakMb,
      manager_cpu_percent: cpuPercent,
      pairs: PAIRS,
      against: ratios,
    },
  );
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
