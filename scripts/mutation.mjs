// Runs Stryker and judges its report: a table by file, and a failure if too many mutants live.
//   node scripts/mutation.mjs [further options of `stryker run`, such as --mutate FILE]
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';

/** Percent of all mutants that the tests must notice. */
const LEAST_PERCENT = 85;
/** What is written to the database, and on which condition: here every mutant must be noticed. */
const WITHOUT_SURVIVORS = [
  ...['run/run-filters', 'run/run-updates', 'run/run-data'],
  ...['infra/mongo/expressions', 'infra/mongo/compare-and-set'],
].map((name) => `src/${name}.ts`);

const REPORT = '.mutation/report.json';

rmSync(REPORT, { force: true });
const stryker = spawnSync('npx', ['--no-install', 'stryker', 'run', ...process.argv.slice(2)], {
  stdio: 'inherit',
});
if (stryker.status !== 0) process.exit(stryker.status ?? 1);

const DEAD = new Set(['Killed', 'Timeout']);
const ALIVE = new Set(['Survived', 'NoCoverage']);
const { files } = JSON.parse(readFileSync(REPORT, 'utf8'));

const rows = Object.entries(files)
  .map(([file, { mutants }]) => ({
    file,
    dead: mutants.filter(({ status }) => DEAD.has(status)).length,
    alive: mutants.filter(({ status }) => ALIVE.has(status)),
    excused: mutants.filter(({ status }) => status === 'Ignored').length,
  }))
  .sort((a, b) => a.file.localeCompare(b.file));

for (const { file, alive } of rows) {
  for (const { location, mutatorName, status, replacement } of alive) {
    const text = (replacement ?? '').replace(/\s+/g, ' ').slice(0, 90);
    console.log(
      `${file}:${location.start.line}:${location.start.column} ${status} ${mutatorName}: ${text}`,
    );
  }
}

const percent = ({ dead, alive }) => (100 * dead) / Math.max(1, dead + alive);
const line = (name, dead, alive, excused) =>
  console.log(
    `${name.padEnd(36)} ${String(dead).padStart(6)} ${String(alive).padStart(8)} ${String(excused).padStart(8)} ${percent({ dead, alive }).toFixed(1).padStart(7)}`,
  );
console.log(`\n${'file'.padEnd(36)} killed survived equival. percent`);
let [dead, alive, excused] = [0, 0, 0];
for (const row of rows) {
  line(row.file, row.dead, row.alive.length, row.excused);
  dead += row.dead;
  alive += row.alive.length;
  excused += row.excused;
}
line('all', dead, alive, excused);

const failures = rows
  .filter((row) => WITHOUT_SURVIVORS.includes(row.file) && row.alive.length > 0)
  .map((row) => `${row.file}: no mutant may survive here, ${row.alive.length} did`);
if (percent({ dead, alive }) < LEAST_PERCENT) {
  failures.push(
    `only ${percent({ dead, alive }).toFixed(1)} % killed, at least ${LEAST_PERCENT} % wanted`,
  );
}
for (const failure of failures) console.error(`mutation: ${failure}`);
process.exit(failures.length > 0 ? 1 : 0);
