import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';

import {
  makePlace,
  publishedLocation,
  publishFolder,
  removePlace,
} from '../../../../src/attempt/files/place.ts';

const OURS = 'a'.repeat(24);
const THEIRS = 'b'.repeat(24);
const NAME = '000007-peaks-abc';

let root: string;
let place: string;
let output: string;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'bootstrax-place-'));
  output = join(root, 'output');
  place = join(root, 'output.staging', OURS);
  mkdirSync(output);
  await makePlace(place);
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

/** A folder of strax; `attempt` null: it does not say who made it. */
function product(folder: string, attempt: string | null): string {
  mkdirSync(folder, { recursive: true });
  const word = { attempt, document: 'd', host: 'eb3' };
  const metadata = { chunks: [], ...(attempt === null ? {} : { bootstrax: word }) };
  writeFileSync(join(folder, 'peaks-abc-metadata.json'), JSON.stringify(metadata));
  return folder;
}

describe('a folder of an attempt', () => {
  it('gets its place in the output folder, and what is left of the attempt goes', async () => {
    const from = product(join(place, NAME), OURS);
    product(join(place, '000007-records-abc_temp'), OURS);
    expect(await publishFolder(from, join(output, NAME), OURS)).toEqual({ kind: 'published' });
    await removePlace(place);
    expect(readdirSync(output)).toEqual([NAME]);
    expect(existsSync(place)).toBe(false);
  });

  it('is published once, however often that is asked for', async () => {
    const from = product(join(place, NAME), OURS);
    for (let time = 0; time < 3; time++) {
      expect(await publishFolder(from, join(output, NAME), OURS)).toEqual({ kind: 'published' });
    }
    expect(readdirSync(output)).toEqual([NAME]);
  });

  it.each([
    ['of another attempt', THEIRS, 'says'],
    ['that does not say who made it', null, 'silent'],
  ] as const)('never replaces a folder %s', async (_, maker, kind) => {
    const from = product(join(place, NAME), OURS);
    const to = product(join(output, NAME), maker);
    writeFileSync(join(to, 'theirs'), 'theirs');
    const answer = await publishFolder(from, to, OURS);
    expect(answer).toMatchObject({ kind: 'in_the_way', word: { kind } });
    expect(existsSync(join(to, 'theirs'))).toBe(true);
    expect(existsSync(from)).toBe(true);
  });

  it('that is nowhere is said to be gone', async () => {
    expect(await publishFolder(join(place, NAME), join(output, NAME), OURS)).toEqual({
      kind: 'gone',
    });
  });
});

test('products of plans without a place lie where strax has put them', () => {
  const plan = { outputDirectory: output };
  expect(publishedLocation(plan, join(output, NAME))).toBe(join(output, NAME));
  expect(publishedLocation({ ...plan, place }, join(place, NAME))).toBe(join(output, NAME));
});

describe('what is removed', () => {
  it.each(['/', '/tmp', 'relative', '../../etc', `x/${OURS}`])(
    'is never a folder such as %s',
    async (path) => {
      await expect(removePlace(path)).rejects.toThrow('refusing to remove');
    },
  );
});
