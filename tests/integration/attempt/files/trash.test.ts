import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { beforeAll, describe, expect, it, test } from 'vitest';

import { type Leftover, leftoverAt } from '../../../../src/attempt/files/leftovers.ts';
import { removePlace } from '../../../../src/attempt/files/place.ts';
import {
  destroy,
  placeOfRemover,
  putBack,
  putBackCondemned,
  takeAway,
  tidyTrash,
  type Trash,
  trashBelow,
} from '../../../../src/attempt/files/trash.ts';
import { type CrashPoint, STEP_MOMENTS } from '../../../../src/infra/crash-points/points.ts';
import { temporaryFolder } from '../support.ts';

const RUN = '000052';
const NAME = `${RUN}-peaks-abcdefghij`;
const HOST = 'eb3';
const OURS = 'a'.repeat(24);
const WORD = { attempt: OURS, document: 'run52', host: HOST };
const THEIRS = { attempt: 'b'.repeat(24), document: 'run52', host: 'eb4' };

function trashIn(root: string): Trash {
  const output = join(root, 'output');
  mkdirSync(output, { recursive: true });
  const by = { host: HOST, attempt: OURS, outputDirectory: output };
  return { host: HOST, outputDirectory: output, place: placeOfRemover(`${output}.staging`, by) };
}

/** As strax leaves it; `word` null: it does not say who made it. */
function product(path: string, word: Record<string, unknown> | null): string {
  mkdirSync(path, { recursive: true });
  say(path, word);
  writeFileSync(join(path, 'peaks-abcdefghij-000000'), 'rows');
  return path;
}

function say(path: string, word: Record<string, unknown> | null): void {
  const metadata = { chunks: [], ...(word === null ? {} : { bootstrax: word }) };
  writeFileSync(join(path, 'peaks-abcdefghij-metadata.json'), JSON.stringify(metadata));
}

async function seenAt(path: string): Promise<Leftover> {
  const seen = await leftoverAt(path);
  if (seen === null) throw new Error(`${path} is not there`);
  return seen;
}

/** All below a folder but what says whose trash it is. */
function treeOf(folder: string): string[] {
  return (readdirSync(folder, { recursive: true }) as string[])
    .filter((name) => !/^([^/]+\/)?(trash(\.json.*)?|trash\/trash\.json.*)$/.test(name))
    .sort();
}

function isTrashEmpty({ place }: Trash): boolean {
  const trash = join(place, 'trash');
  return !existsSync(trash) || readdirSync(trash).every((name) => name.startsWith('trash.json'));
}

describe('a folder that is removed', () => {
  it.each([NAME, `${NAME}_temp`])('is gone, and nothing else: %s', async (name) => {
    const trash = trashIn(temporaryFolder());
    const path = product(join(trash.outputDirectory, name), WORD);
    const other = product(join(trash.outputDirectory, `${RUN}-records-abcdefghij`), WORD);
    const taken = await takeAway(trash, RUN, await seenAt(path));
    if (taken.kind !== 'taken') throw new Error(taken.kind);
    expect(await destroy(trash, taken.path)).toBe(true);
    expect(readdirSync(trash.outputDirectory)).toEqual([`${RUN}-records-abcdefghij`]);
    expect(existsSync(other)).toBe(true);
    await removePlace(trash.place);
    expect(existsSync(trash.place)).toBe(false);
  });

  it('takes a link in it along, and not what that leads to', async () => {
    const trash = trashIn(temporaryFolder());
    const precious = temporaryFolder();
    writeFileSync(join(precious, 'data'), 'kept');
    const path = product(join(trash.outputDirectory, NAME), WORD);
    symlinkSync(precious, join(path, 'link'));
    const taken = await takeAway(trash, RUN, await seenAt(path));
    if (taken.kind !== 'taken') throw new Error(taken.kind);
    await destroy(trash, taken.path);
    expect(readFileSync(join(precious, 'data'), 'utf8')).toBe('kept');
  });

  it('is never taken twice', async () => {
    const trash = trashIn(temporaryFolder());
    const path = product(join(trash.outputDirectory, NAME), WORD);
    const seen = await seenAt(path);
    expect((await takeAway(trash, RUN, seen)).kind).toBe('taken');
    expect(await takeAway(trash, RUN, seen)).toEqual({ kind: 'gone' });
  });
});

describe('nothing is taken away when the path is', () => {
  it.each([
    ['of another run', (output: string) => join(output, '000053-peaks-abcdefghij')],
    ['no strax folder', (output: string) => join(output, 'peaks')],
    ['the output folder itself', (output: string) => output],
    ['a way out', (output: string) => `${output}/../${NAME}`],
    ['a way round', (output: string) => `${output}/x/../${NAME}`],
    ['below a folder', (output: string) => join(output, 'x', NAME)],
    ['relative', () => NAME],
    ['one with a slash behind', (output: string) => join(output, `${NAME}/`)],
    ['a link', (output: string) => join(output, `${RUN}-link-abcdefghij`)],
    ['a file', (output: string) => join(output, `${RUN}-file-abcdefghij`)],
  ])('%s', async (_what, path) => {
    const root = temporaryFolder();
    const trash = trashIn(root);
    const precious = join(root, 'precious');
    mkdirSync(precious);
    symlinkSync(precious, join(trash.outputDirectory, `${RUN}-link-abcdefghij`));
    writeFileSync(join(trash.outputDirectory, `${RUN}-file-abcdefghij`), '');
    const before = treeOf(root);
    const seen = { path: path(trash.outputDirectory), word: { kind: 'torn' }, inode: 1n } as const;
    await expect(takeAway(trash, RUN, seen)).rejects.toThrow(`(run ${RUN})`);
    expect(treeOf(root)).toEqual(before);
  });
});

describe('a folder that came in place of the one that was seen keeps its name and its files', () => {
  it.each([
    ['it says another attempt', (path: string) => say(path, THEIRS)],
    ['it says nothing', (path: string) => say(path, null)],
    ['it is another', (path: string, from: string) => renameSync(from, path)],
  ])('%s', async (_what, change) => {
    const root = temporaryFolder();
    const trash = trashIn(root);
    const path = product(join(trash.outputDirectory, NAME), WORD);
    const seen = await seenAt(path);
    const theirs = product(join(root, 'theirs'), THEIRS);
    if (change.length > 1) renameSync(path, join(root, 'away'));
    change(path, theirs);
    const files = readdirSync(path);
    const { ino } = statSync(path);
    expect(await takeAway(trash, RUN, seen)).toEqual({ kind: 'changed' });
    expect(readdirSync(path)).toEqual(files);
    expect(statSync(path).ino).toBe(ino);
    expect(isTrashEmpty(trash)).toBe(true);
  });

  it('and where a third has that name by now, it stays in the trash, whatever is removed there', async () => {
    const root = temporaryFolder();
    const trash = trashIn(root);
    const path = product(join(trash.outputDirectory, NAME), WORD);
    const taken = await takeAway(trash, RUN, await seenAt(path));
    if (taken.kind !== 'taken') throw new Error(taken.kind);
    product(path, THEIRS);
    expect(await putBack(trash, taken.path)).toBe(false);
    expect(await tidyTrash(trash.place)).toEqual([taken.path]);
    product(join(trash.place, NAME), WORD);
    await removePlace(trash.place);
    expect(readdirSync(trash.place)).toEqual(['trash']);
    expect(existsSync(join(taken.path, 'peaks-abcdefghij-000000'))).toBe(true);
    rmSync(path, { recursive: true });
    await removePlace(trash.place);
    expect(existsSync(trash.place)).toBe(false);
    expect((await seenAt(path)).word).toEqual({ kind: 'says', ...WORD });
  });
});

describe('what release 0.1.1 was about to remove', () => {
  it.each([
    ['z_temp', NAME],
    ['_temp', `${NAME}_temp`],
  ])('gets its name again, and replaces nothing (%s)', async (suffix, name) => {
    const trash = trashIn(temporaryFolder());
    const output = trash.outputDirectory;
    const aside = product(join(output, `${NAME}0removed0123456789ab${suffix}`), WORD);
    const seen = await seenAt(aside);
    expect(seen).toMatchObject({
      ...{ condemned: true, location: join(output, NAME), unfinished: name.endsWith('_temp') },
    });
    const third = product(join(output, name), THEIRS);
    expect(await putBackCondemned(aside)).toBe(false);
    rmSync(third, { recursive: true });
    expect(await putBackCondemned(aside)).toBe(true);
    expect(readdirSync(output)).toEqual([name]);
  });

  it('has its own name in the trash: a cut gives it that', async () => {
    const trash = trashIn(temporaryFolder());
    const aside = product(join(trash.outputDirectory, `${NAME}0removed0123456789abz_temp`), WORD);
    expect((await takeAway(trash, RUN, await seenAt(aside))).kind).toBe('taken');
    expect(await tidyTrash(trash.place)).toEqual([]);
    expect(readdirSync(trash.outputDirectory)).toEqual([NAME]);
  });
});

describe('trash', () => {
  it('is found below the folder where attempts write, and says whose it is', async () => {
    const trash = trashIn(temporaryFolder());
    const staging = join(trash.place, '..');
    expect(await trashBelow(staging)).toEqual([]);
    mkdirSync(join(staging, 'c'.repeat(24), NAME), { recursive: true });
    writeFileSync(join(staging, 'a file'), '');
    const path = product(join(trash.outputDirectory, NAME), WORD);
    await takeAway(trash, RUN, await seenAt(path));
    mkdirSync(join(staging, 'd'.repeat(24), 'trash'), { recursive: true });
    expect(await trashBelow(staging)).toEqual([
      { place: trash.place, host: HOST },
      { place: join(staging, 'd'.repeat(24)), host: null },
    ]);
  });

  it('of which nobody knows where it belongs stays as it is', async () => {
    const trash = trashIn(temporaryFolder());
    const path = product(join(trash.outputDirectory, NAME), WORD);
    const taken = await takeAway(trash, RUN, await seenAt(path));
    if (taken.kind !== 'taken') throw new Error(taken.kind);
    const odd = join(trash.place, 'trash', 'odd');
    mkdirSync(odd);
    expect(await tidyTrash(trash.place)).toEqual([odd]);
    expect(existsSync(path)).toBe(true);
    await takeAway(trash, RUN, await seenAt(path));
    for (const text of ['', '{"host"', '{"host":"eb3"}', '{"host":"eb3","outputDirectory":"x"}']) {
      writeFileSync(join(trash.place, 'trash', 'trash.json'), text);
      expect(await tidyTrash(trash.place)).toHaveLength(2);
      await removePlace(trash.place);
    }
    expect(treeOf(trash.place).some((name) => name.endsWith('-000000'))).toBe(true);
  });

  it.each(['../../etc', '/etc', 'x/y', '', '.', '..'])(
    'of a host never lies elsewhere, whatever its name or an attempt’s: %j',
    (name) => {
      const staging = '/data/output.staging';
      for (const by of [
        { host: name, attempt: null },
        { host: HOST, attempt: name },
      ]) {
        const place = placeOfRemover(staging, { ...by, outputDirectory: '/data/output' });
        expect(place).toMatch(/^\/data\/output\.staging\/removals-[^/]*-[0-9a-f]{12}$/);
      }
    },
  );
});

/** What is removed, and what of it may be gone after a start that follows a cut. */
interface Case {
  what: string;
  /** What is there, and what was seen of it. */
  name: string;
  word: Record<string, unknown>;
  seen: Record<string, unknown>;
  points: readonly CrashPoint[];
  mayGo: boolean;
}

const around = (
  ...steps: ('trash.make' | 'trash.take' | 'trash.doom' | 'trash.remove' | 'trash.put_back')[]
) => steps.flatMap((step) => STEP_MOMENTS.map((moment) => `${step}:${moment}` as const));
const OWNER = ['trash.json:before', 'trash.json:temporary', 'trash.json:after'] as const;
const TAKING = [...around('trash.make', 'trash.take'), ...OWNER];
const REMOVING = [...TAKING, ...around('trash.doom', 'trash.remove')];
const RETURNING = [...TAKING, ...around('trash.put_back')];
const CONDEMNED = `${NAME}0removed0123456789ab`;

/** Cuts of the start, one after the other. */
const STARTS: Record<string, readonly CrashPoint[]> = {
  'trash.take:after': ['trash.put_back:before', 'trash.put_back:after'],
  'trash.doom:after': ['trash.remove:before', 'trash.remove:after'],
};

const CASES: Case[] = [
  ...[NAME, `${CONDEMNED}_temp`].flatMap((name) => [
    {
      ...{ what: 'what is to be removed', name, word: WORD, seen: WORD },
      ...{ points: REMOVING, mayGo: true },
    },
    {
      ...{ what: 'what has come in its place', name, word: THEIRS, seen: WORD },
      ...{ points: RETURNING, mayGo: false },
    },
  ]),
];

describe('wherever the power is cut, a start leaves a folder that is gone by right, or has its name', () => {
  let program: string;
  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bootstrax-trash-'));
    program = join(folder, 'remover.mjs');
    await build({
      stdin: {
        contents: `
          import { leftoverAt } from './src/attempt/files/leftovers.ts';
          import { destroy, takeAway, tidyTrash } from './src/attempt/files/trash.ts';
          const { trash, path, seen } = JSON.parse(process.argv[2]);
          if (path === null) await tidyTrash(trash.place);
          else {
            const found = { ...(await leftoverAt(path)), word: { kind: 'says', ...seen } };
            const taken = await takeAway(trash, '${RUN}', found);
            if (taken.kind === 'taken') await destroy(trash, taken.path);
          }
          console.log('whole way');`,
        resolveDir: process.cwd(),
        loader: 'ts',
      },
      ...{ outfile: program, bundle: true, platform: 'node', format: 'esm', logLevel: 'error' },
    });
    return () => rmSync(folder, { recursive: true });
  });

  const run = (request: { trash: Trash; path: string | null; seen: unknown }, cut: string | null) =>
    spawnSync(process.execPath, [program, JSON.stringify(request)], {
      env: { ...process.env, ...(cut === null ? {} : { BOOTSTRAX_CRASH_AT: cut }) },
    });

  it.each(CASES)('$what: $name', async ({ name, word, seen, points, mayGo }) => {
    const place = name.endsWith('z_temp') ? NAME : name.replace(/0removed.*/, '_temp');
    for (const cut of [null, ...points]) {
      const trash = trashIn(temporaryFolder());
      const path = product(join(trash.outputDirectory, name), word);
      const files = readdirSync(path);
      const { signal, stdout } = run({ trash, path, seen }, cut);
      expect([cut, signal, stdout.toString()]).toEqual(
        cut === null ? [null, null, 'whole way\n'] : [cut, 'SIGKILL', ''],
      );
      // A start may be cut as well.
      for (const again of STARTS[cut ?? ''] ?? []) {
        expect([cut, run({ trash, path: null, seen }, again).signal]).toEqual([cut, 'SIGKILL']);
      }
      expect(await tidyTrash(trash.place)).toEqual([]);
      expect(isTrashEmpty(trash)).toBe(true);
      const there = readdirSync(trash.outputDirectory);
      const isGone = cut === null || /^trash\.(doom:after|remove)/.test(cut);
      expect([cut, there.length]).toEqual([cut, mayGo && isGone ? 0 : 1]);
      for (const left of there) {
        // One that was never taken still has the name that it had.
        expect([name, place]).toContain(left);
        expect(readdirSync(join(trash.outputDirectory, left))).toEqual(files);
      }
    }
  });
});

test('two who tidy the same trash at the same time lose nothing', async () => {
  const trash = trashIn(temporaryFolder());
  const output = trash.outputDirectory;
  const paths = Array.from({ length: 8 }, (_, i) => join(output, `${RUN}-type${i}-abcdefghij`));
  for (const path of paths) {
    product(path, WORD);
    expect((await takeAway(trash, RUN, await seenAt(path))).kind).toBe('taken');
  }
  await Promise.all([1, 2, 3].map(() => tidyTrash(trash.place)));
  expect(readdirSync(output).map((name) => join(output, name))).toEqual(paths);
});
