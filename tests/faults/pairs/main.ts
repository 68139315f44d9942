/**
 * `make pairs ROUNDS=200 SEED=7`: see `pairs.ts`; the rounds have the seeds 7, 8, and so on. Exits 1,
 * with what is wrong, unless all rounds came right.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';

import { Pairs } from './pairs.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string' }, seed: { type: 'string' } },
});
const rounds = Number(values.rounds || 20);
const first = values.seed ? Number(values.seed) : Math.floor(Math.random() * 1e6);
if (!(rounds > 0) || !Number.isInteger(first)) {
  console.error('usage: make pairs ROUNDS=<number> SEED=<whole number>');
  process.exit(2);
}

const failed: number[] = [];
const pairs = await Pairs.start();
try {
  for (let seed = first; seed < first + rounds; seed++) {
    const { what, seconds, problems, story } = await pairs.round(seed);
    console.log(`seed ${seed}, ${seconds.toFixed(0)} s: ${what}`);
    if (problems.length === 0) continue;
    failed.push(seed);
    for (const problem of problems) console.log(`  - ${problem}`);
    await mkdir('.bench', { recursive: true });
    await writeFile(`.bench/pairs-${seed}.log`, story);
    console.log(`  The managers' log lines are in .bench/pairs-${seed}.log`);
  }
} finally {
  await pairs.end();
}
console.log(JSON.stringify({ seed: first, rounds, failed }));
process.exit(failed.length > 0 ? 1 : 0);
