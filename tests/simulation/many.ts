import { fork } from 'node:child_process';
import { once } from 'node:events';

import type { Options } from './options.ts';
import { simulate } from './simulation.ts';

/** Nights that one process simulates: what a killed process waits for is never freed there. */
const SEEDS_A_PROCESS = 100;
/** Violations that are told one by one. */
const MOST_TOLD = 20;

export interface Seeds {
  from: number;
  count: number;
}

/** What came of some nights; it goes from one process to another. */
export interface Tally {
  seeds: number;
  events: number;
  simulatedSeconds: number;
  /** Runs by the state in which they ended. */
  ends: Record<string, number>;
  violations: { seed: number; invariant: string; what: string }[];
}

/** Simulates these nights here. Without `goOn` only the first violation of a night counts. */
export async function tallyOf(seeds: Seeds, options: Options): Promise<Tally> {
  const tally = emptyTally();
  for (let seed = seeds.from; seed < seeds.from + seeds.count; seed++) {
    const outcome = await simulate(seed, options);
    const counted = options.goOn === true ? outcome.violations : outcome.violations.slice(0, 1);
    add(tally, {
      seeds: 1,
      events: outcome.events,
      simulatedSeconds: outcome.seconds,
      ends: outcome.ends,
      violations: counted.map(({ invariant, what }) => ({ seed, invariant, what })),
    });
  }
  return tally;
}

/**
 * Simulates these nights in `jobs` processes at a time, each a copy of this program with `programArguments` and a slice
 * of them. Says how far it is at each slice.
 * @throws Error if a process ends without a tally.
 */
export async function tallyOfMany(
  seeds: Seeds,
  jobs: number,
  programArguments: readonly string[],
): Promise<Tally> {
  const tally = emptyTally();
  const begin = performance.now();
  let next = seeds.from;
  const end = seeds.from + seeds.count;
  const workOff = async () => {
    while (next < end) {
      const slice = { from: next, count: Math.min(SEEDS_A_PROCESS, end - next) };
      next += slice.count;
      const part = await tallyElsewhere(slice, programArguments);
      for (const violation of part.violations) sayViolation(tally, violation);
      add(tally, part);
      sayProgress(tally, seeds.count, performance.now() - begin);
    }
  };
  await Promise.all(Array.from({ length: jobs }, workOff));
  return tally;
}

async function tallyElsewhere(slice: Seeds, programArguments: readonly string[]): Promise<Tally> {
  const { from, count } = slice;
  const child = fork(process.argv[1]!, [
    ...programArguments,
    ...['--slice', '--from', String(from), '--count', String(count)],
  ]);
  let tally: Tally | undefined;
  child.on('message', (message) => {
    tally = message as Tally;
  });
  await once(child, 'close');
  if (tally === undefined) {
    throw new Error(
      `the process that simulated the seeds ${from} to ${from + count - 1} ended without an answer ` +
        `(exit code ${child.exitCode}, signal ${child.signalCode}): run it alone with --from ${from} --count ${count} --jobs 1`,
    );
  }
  return tally;
}

function emptyTally(): Tally {
  return { seeds: 0, events: 0, simulatedSeconds: 0, ends: {}, violations: [] };
}

function add(to: Tally, part: Tally): void {
  to.seeds += part.seeds;
  to.events += part.events;
  to.simulatedSeconds += part.simulatedSeconds;
  for (const [end, runs] of Object.entries(part.ends)) to.ends[end] = (to.ends[end] ?? 0) + runs;
  to.violations.push(...part.violations);
}

function sayViolation(tally: Tally, { seed, invariant, what }: Tally['violations'][number]): void {
  if (tally.violations.length < MOST_TOLD) console.log(`seed ${seed}: ${invariant}: ${what}`);
}

function sayProgress(tally: Tally, count: number, ms: number): void {
  const leftSeconds = ((count - tally.seeds) * ms) / tally.seeds / 1000;
  console.error(
    `${tally.seeds} of ${count} seeds, ${tally.violations.length} violations, about ${leftSeconds.toFixed(0)} s left`,
  );
}
