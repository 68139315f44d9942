// Writes the JSON schema of the attempt files and worker lines for the Python side, from the zod
// schemas of src/domain/attempt.ts. A test fails when the written file is stale.
import { build } from 'esbuild';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const directory = await mkdtemp(join(process.cwd(), 'node_modules', '.protocol-'));
try {
  const outfile = join(directory, 'protocol.mjs');
  await build({
    stdin: {
      contents: "export { protocolJsonSchema } from './src/domain/protocol-schema.ts';",
      resolveDir: process.cwd(),
    },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
  });
  const { protocolJsonSchema } = await import(pathToFileURL(outfile).href);
  await writeFile(
    'worker/bootstrax_worker/protocol.schema.json',
    JSON.stringify(protocolJsonSchema(), null, 2) + '\n',
  );
} finally {
  await rm(directory, { recursive: true });
}
