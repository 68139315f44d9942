/**
 * `make chaos SECONDS=600 SEED=7`: see `chaos.ts`. Exits 1, with what is wrong, unless all is right
 * at the end.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { table } from '../../../src/cli/framework/output.ts';
import { chaos, type ChaosReport } from './chaos.ts';
import { type FaultKind, FAULTS } from './schedule.ts';

const HEAD = ['fault', 'times', 'nobody to hit', 'runs it hit that went on', 'longest, s'];

const { values } = parseArgs({
  options: { seconds: { type: 'string' }, seed: { type: 'string' } },
});
const seconds = Number(values.seconds || 60);
const seed = values.seed ? Number(values.seed) : Math.floor(Math.random() * 1e6);
if (!(seconds > 0) || !Number.isInteger(seed)) {
  console.error('usage: make chaos SECONDS=<number> SEED=<whole number>');
  process.exit(2);
}

console.log(`chaos for ${seconds} s with seed ${seed}`);
const logFile = resolve(`.bench/chaos-${seed}.log`);
const report = await chaos({ seed, seconds, say: (line) => console.log(line), logFile });
console.log(summary(report));
console.log(
  JSON.stringify({
    seed,
    seconds,
    runs: report.runs,
    done: report.done,
    given_up: report.givenUp,
    faults: report.struck.filter(({ missed }) => !missed).length,
    recoveries: report.recoveries.length,
    longest_recovery_s: longest(report.recoveries),
    problems: report.problems.length,
  }),
);
if (report.problems.length > 0) {
  console.error(`\n${report.problems.length} things are wrong with seed ${seed}:`);
  for (const problem of report.problems) console.error(`  - ${problem}`);
  console.error(`The managers' log lines are in ${logFile}`);
}
process.exit(report.problems.length > 0 ? 1 : 0);

function summary({ struck, recoveries, runs, done, givenUp, seconds: took }: ChaosReport): string {
  const rows: string[][] = [];
  for (const kind of Object.keys(FAULTS) as FaultKind[]) {
    const these = struck.filter((one) => one.kind === kind);
    const missed = these.filter((one) => one.missed).length;
    const gone = recoveries.filter((recovery) => recovery.kind === kind);
    rows.push([
      kind,
      ...[these.length - missed, missed, gone.length, longest(gone) ?? '-'].map(String),
    ]);
  }
  return (
    `${table(HEAD, rows)}\n${runs} runs: ${done} done, ${givenUp} given up. ` +
    `${recoveries.length} recoveries, the longest ${longest(recoveries) ?? '-'} s. ` +
    `${took.toFixed(0)} s in all.`
  );
}

function longest(recoveries: ChaosReport['recoveries']): number | null {
  if (recoveries.length === 0) return null;
  return Number(Math.max(...recoveries.map(({ seconds: each }) => each)).toFixed(1));
}
