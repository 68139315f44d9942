// Runs bench/<name>.ts: `node scripts/bench.mjs pickup [arguments]`.
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const [name, ...rest] = process.argv.slice(2);
const entry = `bench/${name}.ts`;
if (!name || !/^[a-z-]+$/.test(name) || !existsSync(entry)) {
  console.error(`There is no benchmark '${name ?? ''}': see the folder bench/.`);
  process.exit(2);
}
// As deep as the sources: the laboratory finds the checkout from where its own code lies.
const outfile = `.bench/run/${name}.mjs`;
await build({
  entryPoints: [entry],
  outfile,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  packages: 'external',
  logLevel: 'warning',
});
const { status } = spawnSync(process.execPath, ['--expose-gc', outfile, ...rest], {
  stdio: 'inherit',
});
process.exit(status ?? 1);
