import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';

import type { Product } from '../../../../src/attempt/attempt.pure.ts';
import { leftoversOf } from '../../../../src/attempt/files/leftovers.ts';
import {
  describeProblem,
  type InspectedProduct,
  inspectProducts,
  sameAsResult,
} from '../../../../src/attempt/files/products.ts';
import { temporaryFolder } from '../support.ts';

const PYTHON = process.env['BOOTSTRAX_PYTHON'] ?? join(process.cwd(), '.venv/bin/python');
const RUN = '051230';

/** Real folders, as strax writes them: made once, copied for each test. */
let original: string;

beforeAll(() => {
  original = execFileSync('mktemp', ['-d']).toString().trim();
  execFileSync(PYTHON, [join(import.meta.dirname, 'make_products.py'), original], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  return () => {
    rmSync(original, { recursive: true });
  };
});

function outputFolder(): string {
  const folder = join(temporaryFolder(), 'output');
  cpSync(original, folder, { recursive: true });
  return folder;
}

async function inspected(output: string, type: string): Promise<InspectedProduct> {
  const { products } = await inspectProducts(output, RUN);
  return products.find((product) => product.type === type)!;
}

/** The same, and what is wrong with it in one word each. */
async function kinds(output: string, type: string): Promise<string[]> {
  return (await inspected(output, type)).problems.map(({ kind }) => kind);
}

function folderOf(output: string, type: string): string {
  return join(
    output,
    readdirSync(output).find((name) => name.startsWith(`${RUN}-${type}-`))!,
  );
}

function metadataOf(output: string, type: string): string {
  const folder = folderOf(output, type);
  return join(
    folder,
    readdirSync(folder).find((name) => name.endsWith('-metadata.json'))!,
  );
}

function chunksOf(output: string, type: string): string[] {
  const folder = folderOf(output, type);
  return readdirSync(folder)
    .filter((name) => /-\d{6}$/.test(name))
    .sort()
    .map((name) => join(folder, name));
}

test('what strax has stored is described exactly, times to the nanosecond', async () => {
  const output = outputFolder();
  const location = folderOf(output, 'doubled');
  const found = await inspected(output, 'doubled');
  const lineageHash = basename(location).split('-')[2];
  expect(found.problems).toEqual([]);
  expect(found).toMatchObject({ type: 'doubled', location, lineageHash, firstChunkRows: 100 });
  expect(found.product).toEqual({
    type: 'doubled',
    location,
    lineageHash,
    lineage: { doubled: ['Doubled', '0.1', {}], numbers: ['Source', '0.0.0', {}] },
    chunks: 3,
    rows: 150,
    bytes: readdirSync(location).reduce(
      (sum, name) => sum + statSync(join(location, name)).size,
      0,
    ),
    startNs: '1700000000123456789',
    endNs: '1700000003123456789',
    firstTimeNs: '1700000000123456789',
    lastTimeNs: '1700000002123456839',
  });
});

test('a folder that strax closed after an exception says so, although it has its final name', async () => {
  const { problems } = await inspected(outputFolder(), 'failing');
  expect(problems[0]).toMatchObject({ kind: 'exception' });
  expect(describeProblem(problems[0]!)).toContain('no luck');
});

test('a chunk that is missing, empty or short is named', async () => {
  const output = outputFolder();
  const [first, third] = chunksOf(output, 'doubled');
  const [numbers] = chunksOf(output, 'numbers');
  rmSync(first!);
  truncateSync(third!, 0);
  truncateSync(numbers!, 10);
  expect((await inspected(output, 'doubled')).problems).toEqual([
    { kind: 'chunk_missing', file: first, chunk: 0 },
    { kind: 'chunk_empty', file: third, chunk: 2 },
  ]);
  expect((await inspected(output, 'numbers')).problems).toMatchObject([
    { kind: 'chunk_size', file: numbers, chunk: 0, bytes: 10 },
  ]);
});

function editMetadata(output: string, change: (text: string) => string): void {
  const file = metadataOf(output, 'doubled');
  writeFileSync(file, change(readFileSync(file, 'utf8')));
}

test.each([
  ['cut off', (text: string) => text.slice(0, -20), ['metadata_unreadable']],
  ['empty', () => '', ['metadata_unreadable']],
  [
    'without chunks',
    (text: string) => text.replace('"chunks"', '"other"'),
    ['metadata_unreadable'],
  ],
  [
    'of an empty run',
    (text: string) => text.replace(/"chunks": \[[^]*?\n {4}\]/, '"chunks": []'),
    ['no_chunks'],
  ],
  [
    'never closed',
    (text: string) => text.replace('"writing_ended"', '"writing_began"'),
    ['not_ended'],
  ],
  [
    'lacking a chunk',
    (text: string) => text.replace('"chunk_i": 1', '"chunk_i": 3'),
    ['chunk_numbers'],
  ],
  [
    'naming a file elsewhere',
    (text: string) => text.replace(/"filename": "/, '"filename": "../'),
    ['metadata_unreadable'],
  ],
  ['with a value that is no JSON', (text: string) => text.replace('"0.1"', 'NaN'), []],
])('metadata that are %s', async (_what, change, expected) => {
  const output = outputFolder();
  editMetadata(output, change);
  expect(await kinds(output, 'doubled')).toEqual(expected);
});

test('a product without metadata is unreadable, and a file in place of its folder is none', async () => {
  const output = outputFolder();
  rmSync(metadataOf(output, 'doubled'));
  expect(await kinds(output, 'doubled')).toEqual(['metadata_unreadable']);
  rmSync(folderOf(output, 'numbers'), { recursive: true });
  writeFileSync(join(output, '051230-numbers-abcdefghij'), '');
  expect(await inspected(output, 'numbers')).toBeUndefined();
});

test('unfinished folders and those of other runs are told apart', async () => {
  const output = outputFolder();
  const numbers = folderOf(output, 'numbers');
  renameSync(numbers, `${numbers}_temp`);
  mkdirSync(join(output, '051231-numbers-abcdefghij'));
  mkdirSync(join(output, '0512300-numbers-abcdefghij'));
  mkdirSync(join(output, 'lost+found'));
  const found = await inspectProducts(output, RUN);
  expect(found.unfinished).toEqual([`${numbers}_temp`]);
  expect(found.products.map(({ type }) => type)).toEqual(['doubled', 'failing']);
});

test('the report of the child and the disk are compared', async () => {
  const output = outputFolder();
  const said = (await inspected(output, 'doubled')).product!;
  const inspection = await inspectProducts(output, RUN);
  expect(sameAsResult([said], inspection)).toEqual([]);
  const other: Product = { ...said, rows: 151, endNs: '1700000003123456790' };
  const missing: Product = { ...said, type: 'peaks', location: '/output/051230-peaks-x' };
  expect(sameAsResult([other, missing], inspection)).toEqual([
    `doubled: rows is 150 on disk (${said.location}), but the worker reported 151`,
    `doubled: endNs is 1700000003123456789 on disk (${said.location}), but the worker reported 1700000003123456790`,
    'peaks: /output/051230-peaks-x is not on disk',
  ]);
});

test('the leftovers of a run are found, and nothing of other runs', async () => {
  const output = outputFolder();
  const numbers = folderOf(output, 'numbers');
  renameSync(numbers, `${numbers}_temp`);
  mkdirSync(join(output, '051231-numbers-abcdefghij'));
  symlinkSync(temporaryFolder(), join(output, '051230-link-abcdefghij'));
  const all = await leftoversOf(output, RUN);
  expect(all.map(({ type, unfinished }) => [type, unfinished])).toEqual([
    ['doubled', false],
    ['failing', false],
    ['numbers', true],
  ]);
});

const WORD = { attempt: 'a'.repeat(24), document: '65f000000000000000051230', host: 'eb3' };

/** Writes into the metadata of a folder who made it. */
function say(folder: string, word: Record<string, unknown>): void {
  const file = join(
    folder,
    readdirSync(folder).find((name) => name.endsWith('metadata.json'))!,
  );
  const metadata = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  writeFileSync(file, JSON.stringify({ ...metadata, bootstrax: word }));
}

test('each folder tells who made it; one without a word and one without metadata are told apart', async () => {
  const output = outputFolder();
  const [doubled, failing, numbers] = ['doubled', 'failing', 'numbers'].map((type) =>
    folderOf(output, type),
  ) as [string, string, string];
  say(doubled, WORD);
  for (const name of readdirSync(failing)) {
    if (name.endsWith('metadata.json')) writeFileSync(join(failing, name), '{"chunks": [');
  }
  const words = (await leftoversOf(output, RUN)).map(({ path, word }) => [path, word]);
  expect(words).toEqual([
    [doubled, { kind: 'says', ...WORD }],
    [failing, { kind: 'torn' }],
    [numbers, { kind: 'silent' }],
  ]);
});
