// Writes the reference of settings into docs/configuration.md, from the schema in src/infra/config/schema. A test
// fails when it is stale.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const FILE = 'docs/configuration.md';
const BEGIN = '<!-- settings: written by scripts/settings.mjs -->\n';

const directory = await mkdtemp(join(process.cwd(), 'node_modules', '.settings-'));
try {
  const outfile = join(directory, 'settings.mjs');
  await build({
    entryPoints: ['src/infra/config/markdown.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
  });
  const { settingsInMarkdown } = await import(pathToFileURL(outfile).href);
  const text = await readFile(FILE, 'utf8');
  const head = text.slice(0, text.indexOf(BEGIN) + BEGIN.length);
  await writeFile(FILE, `${head}\n${settingsInMarkdown()}\n`);
} finally {
  await rm(directory, { recursive: true });
}
