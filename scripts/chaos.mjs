// Runs tests/faults/chaos/main.ts: `node scripts/chaos.mjs --seconds 60 --seed 1`.
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';

// As deep as the sources: the laboratory finds the checkout from where its own code lies.
const outfile = '.bench/run/chaos.mjs';
await build({
  entryPoints: ['tests/faults/chaos/main.ts'],
  outfile,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  packages: 'external',
  logLevel: 'warning',
});
const { status } = spawnSync(process.execPath, [outfile, ...process.argv.slice(2)], {
  stdio: 'inherit',
});
process.exit(status ?? 1);
