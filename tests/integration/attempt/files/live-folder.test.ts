import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { lookAtLiveFolder } from '../../../../src/attempt/files/live-folder.ts';

let root: string;
let count = 0;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'bootstrax-live-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** A folder of live data with these files; those that end in `/` are folders. */
async function liveData(names: readonly string[]): Promise<string> {
  const path = join(root, String(++count).padStart(6, '0'));
  await mkdir(path);
  for (const name of names) {
    const at = join(path, name);
    await mkdir(name.endsWith('/') ? at : dirname(at), { recursive: true });
    if (!name.endsWith('/')) await writeFile(at, '');
  }
  return path;
}

const END = 'THE_END/reader0_0';

test.each<
  [string, string[], { hasChunks: boolean; hasFirst: boolean; hasMore: boolean; ended: boolean }]
>([
  ['nothing', [], { hasChunks: false, hasFirst: false, hasMore: false, ended: false }],
  ['THE_END alone', [END], { hasChunks: false, hasFirst: false, hasMore: false, ended: true }],
  [
    'an empty chunk',
    [END, '000000/'],
    { hasChunks: false, hasFirst: false, hasMore: false, ended: true },
  ],
  [
    'an unfinished chunk',
    [END, '000000_temp/a'],
    { hasChunks: false, hasFirst: false, hasMore: false, ended: true },
  ],
  [
    'chunks',
    [END, '000000/a', '000001/a'],
    { hasChunks: true, hasFirst: true, hasMore: true, ended: true },
  ],
  [
    'no first chunk',
    [END, '000001_pre/a'],
    { hasChunks: true, hasFirst: false, hasMore: false, ended: true },
  ],
  [
    'a run that is taken',
    ['000000/a'],
    { hasChunks: true, hasFirst: true, hasMore: false, ended: false },
  ],
  [
    'files of another reader',
    ['board_1.bin'],
    { hasChunks: true, hasFirst: true, hasMore: true, ended: false },
  ],
])('a folder of live data with %s is seen as it is', async (_, names, seen) => {
  const path = await liveData(names);
  expect(await lookAtLiveFolder(path, false)).toMatchObject({ kind: 'folder', path, ...seen });
});

test('a missing folder is missing only beside others: where nothing lies nothing may be mounted', async () => {
  await liveData([]);
  const path = join(root, '999999');
  expect(await lookAtLiveFolder(path, false)).toEqual({ kind: 'missing', path });
  const empty = await liveData([]);
  for (const folder of [empty, join(root, 'not-there')]) {
    const { kind } = await lookAtLiveFolder(join(folder, '000001'), false);
    expect(kind, folder).toBe('unseen');
  }
});

test('a file that comes into a chunk shows, if one looks closely', async () => {
  const path = await liveData([END, '000000/a']);
  const look = async (thorough: boolean) => {
    const seen = await lookAtLiveFolder(path, thorough);
    return seen.kind === 'folder' ? seen.mark : '';
  };
  const [before, fast] = [await look(true), await look(false)];
  expect(await look(true)).toBe(before);
  await writeFile(join(path, '000000/b'), '');
  expect(await look(true)).not.toBe(before);
  expect(await look(false)).toBe(fast);
});
