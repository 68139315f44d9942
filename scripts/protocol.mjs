// Writes what the Python side shares with src/: the JSON schema of the attempt files and worker
// lines, from the zod schemas of src/attempt/attempt.pure.ts, and the names of all crash points, from
// src/infra/crash-points/points.ts. A check fails when a written file is stale.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const directory = await mkdtemp(join(process.cwd(), 'node_modules', '.protocol-'));
try {
  const outfile = join(directory, 'protocol.mjs');
  await build({
    stdin: {
      contents:
        "export { protocolJsonSchema } from './src/attempt/protocol-schema.pure.ts';" +
        "export { CRASH_POINTS, WORKER_CRASH_POINTS } from './src/infra/crash-points/points.ts';",
      resolveDir: process.cwd(),
    },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
  });
  const { protocolJsonSchema, CRASH_POINTS, WORKER_CRASH_POINTS } = await import(
    pathToFileURL(outfile).href
  );
  const write = (name, content) =>
    writeFile(`worker/bootstrax_worker/${name}`, JSON.stringify(content, null, 2) + '\n');
  await write('protocol.schema.json', protocolJsonSchema());
  await write('crash_points.json', { all: CRASH_POINTS, worker: WORKER_CRASH_POINTS });
} finally {
  await rm(directory, { recursive: true });
}
