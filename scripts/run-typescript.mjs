import { spawnSync } from 'node:child_process';
import { basename } from 'node:path';
import { build } from 'esbuild';

/** Runs a TypeScript file of this checkout as a program of its own, and ends as it ends. */
export async function runTypeScript(entry, name, programArguments) {
  // As deep as the sources: the laboratory finds the checkout from where its own code lies.
  const outfile = `.bench/run/${basename(name)}.mjs`;
  await build({
    entryPoints: [entry],
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
    ['--enable-source-maps', '--expose-gc', outfile, ...programArguments],
    { stdio: 'inherit' },
  );
  process.exit(status ?? 1);
}
