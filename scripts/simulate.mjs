// Runs tests/simulation: `npm run simulate -- --seed 7`, or without a seed many of them.
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';

const outfile = '.bench/run/simulate.mjs';
await build({
  entryPoints: ['tests/simulation/main.ts'],
  outfile,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  sourcemap: 'inline',
  packages: 'external',
  logLevel: 'warning',
});
const { status } = spawnSync(
  process.execPath,
  ['--enable-source-maps', outfile, ...process.argv.slice(2)],
  { stdio: 'inherit' },
);
process.exit(status ?? 1);
