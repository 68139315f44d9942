import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';

import { productsOnDisk } from '../../../../src/attempt/files/attempt-files-on-disk.ts';
import { leftoversOf } from '../../../../src/attempt/files/leftovers.ts';
import type { RunNow } from '../../../../src/attempt/files/ownership.pure.ts';
import {
  foldersIn,
  makePlace,
  placesIn,
  publishedLocation,
  publishFolder,
  removePlace,
} from '../../../../src/attempt/files/place.ts';
import { takeIntoPlace } from '../../../../src/attempt/files/removal.ts';
import { takeAway } from '../../../../src/attempt/files/trash.ts';

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

const LOST: RunNow = {
  ...{ document: 'd', state: 'failed', host: 'eb3', holder: null },
  ...{ madeBy: [], failed: null, listed: [] },
};

/** What the attempt has published, as long as its run leaves that to it. */
async function takeBack(run = LOST): Promise<void> {
  const remover = {
    ...{ document: 'd', attempt: OURS, host: 'eb3', known: [], silent: false },
    purpose: 'take_back',
  } as const;
  const removal = { run: 7, runId: '000007', outputDirectory: output, place, remover };
  await takeIntoPlace({ products: productsOnDisk }, removal, [run]);
}

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

describe('what was published and not concluded', () => {
  it('is taken back into the place, where it is as it was', async () => {
    product(join(output, NAME), OURS);
    await removePlace(place);
    await takeBack();
    expect(readdirSync(output)).toEqual([]);
    expect(await foldersIn(place)).toEqual([
      {
        ...{ name: NAME, runId: '000007', unfinished: false },
        word: { kind: 'says', attempt: OURS, document: 'd', host: 'eb3' },
      },
    ]);
  });

  it.each([
    ['of another attempt', THEIRS, NAME],
    ['that does not say who made it', null, NAME],
    ['that is not finished', OURS, `${NAME}_temp`],
  ] as const)('leaves a folder %s where it is', async (_, maker, name) => {
    product(join(output, name), maker);
    await takeBack();
    expect(readdirSync(output)).toEqual([name]);
    expect(readdirSync(place)).toEqual([]);
  });

  it('stays where it is if its run is done with it', async () => {
    product(join(output, NAME), OURS);
    await takeBack({ ...LOST, state: 'done', madeBy: [OURS] });
    expect(readdirSync(output)).toEqual([NAME]);
  });

  it('replaces nothing that lies in the place, and has its name again', async () => {
    const to = product(join(output, NAME), OURS);
    const there = product(join(place, NAME), OURS);
    writeFileSync(join(there, 'first'), 'first');
    await takeBack();
    expect(existsSync(join(there, 'first'))).toBe(true);
    expect(existsSync(to)).toBe(true);
  });

  it('is taken back whole where that was cut half way', async () => {
    const path = product(join(output, NAME), OURS);
    const seen = (await leftoversOf(output, '000007'))[0]!;
    expect(
      await takeAway({ place, host: 'eb3', outputDirectory: output }, '000007', seen),
    ).toMatchObject({
      kind: 'taken',
    });
    expect(existsSync(path)).toBe(false);
    await takeBack();
    expect(readdirSync(output)).toEqual([]);
    expect((await foldersIn(place)).map(({ name }) => name)).toEqual([NAME]);
  });

  it('may be gone', async () => {
    await takeBack();
    expect(readdirSync(place)).toEqual([]);
  });
});

test('places are found by the names of attempts, and none where there is no folder of places', async () => {
  mkdirSync(join(root, 'output.staging', '000000-probe-abc_temp'));
  expect(await placesIn(join(root, 'output.staging'))).toEqual([OURS]);
  expect(await placesIn(join(root, 'nowhere'))).toEqual([]);
  expect(await foldersIn(join(root, 'nowhere'))).toEqual([]);
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
