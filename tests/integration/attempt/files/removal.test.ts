import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';

import type { Products } from '../../../../src/attempt/attempt-files.ts';
import { productsOnDisk } from '../../../../src/attempt/files/attempt-files-on-disk.ts';
import type { Remover } from '../../../../src/attempt/files/ownership.pure.ts';
import { type Removal, removeProducts } from '../../../../src/attempt/files/removal.ts';
import type { StraxProcess } from '../../../../src/attempt/process/foreign-processes.pure.ts';
import { defaultRules } from '../../../../src/infra/config/rules.pure.ts';
import type { Environment } from '../../../../src/ports/environment.ts';

const RUN = 52;
const RUN_ID = '000052';
const NAME = `${RUN_ID}-peaks-abcdefghij`;
const DOCUMENT = 'run52';
const HERE = 'eb3';
const ELSEWHERE = 'eb4';
const OURS = 'a'.repeat(24);
const THEIRS = 'b'.repeat(24);
const EARLIER = 'c'.repeat(24);
const NOW = new Date();
const QUIET_SECONDS = 600;

type Word = { attempt: string; document: string; host: string } | 'silent' | 'torn';

interface World {
  word: Word;
  unfinished: boolean;
  /** Release 0.1.1 was about to remove it. */
  condemned: boolean;
  /** Its newest file is so old, seconds. */
  age: number;
  /** A process has a file of it open. */
  open: boolean;
  /** Hosts for which the run's document lists it. */
  listed: readonly string[];
  state: string | null;
  host: string;
  holder: string | null;
  lastAttempt: string | null;
  /** Another document has the number, and lists it or not. */
  other: 'none' | 'there' | 'lists';
  orphan: StraxProcess['makes'] | 'none';
  purpose: Remover['purpose'];
}

let root: string;
let output: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'bootstrax-removal-'));
  output = join(root, 'output');
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function nameIn({ unfinished, condemned }: World): string {
  if (condemned) return `${NAME}0removed0123456789ab${unfinished ? '' : 'z'}_temp`;
  return ownName({ unfinished });
}

function ownName({ unfinished }: Pick<World, 'unfinished'>): string {
  return unfinished ? `${NAME}_temp` : NAME;
}

function lay(world: World): void {
  rmSync(root, { recursive: true, force: true });
  const folder = join(output, nameIn(world));
  mkdirSync(folder, { recursive: true });
  const { word } = world;
  const said = typeof word === 'string' ? {} : { bootstrax: word };
  const text = word === 'torn' ? '{"chunks": [' : JSON.stringify({ chunks: [], ...said });
  writeFileSync(join(folder, 'peaks-abcdefghij-metadata.json'), text);
  writeFileSync(join(folder, 'peaks-abcdefghij-000000'), 'rows');
  const changed = new Date(NOW.getTime() - world.age * 1000);
  for (const name of readdirSync(folder)) utimesSync(join(folder, name), changed, changed);
  utimesSync(folder, changed, changed);
}

function documentsOf(world: World) {
  const location = join(output, NAME);
  const entries = world.listed.map((host) => ({ type: 'peaks', host, location }));
  const { state, host, holder, lastAttempt } = world;
  const own = {
    _id: DOCUMENT,
    number: RUN,
    bootstrax: { state, host, attempt: holder, last_attempt: lastAttempt, outcome: 'done' },
    data: entries,
  };
  if (world.other === 'none') return [own];
  const listed = { type: 'peaks', host: ELSEWHERE, location: `/mnt/${NAME}` };
  const data = world.other === 'lists' ? [listed] : [];
  return [own, { _id: 'other', number: RUN, bootstrax: { state: null }, data }];
}

function environment(world: World, products: Products = productsOnDisk): Environment {
  const { limits } = defaultRules;
  return {
    host: HERE,
    outputDirectory: output,
    liveDataRoots: [],
    rules: { limits: { ...limits, quietSeconds: QUIET_SECONDS, busyLeaseSeconds: 120 } },
    store: { runs: { byNumber: () => Promise.resolve(documentsOf(world)) } },
    clock: { now: () => NOW },
    machine: {
      straxProcesses: (): StraxProcess[] =>
        world.orphan === 'none' ? [] : [{ pid: 7, orphan: true, makes: world.orphan }],
    },
    figures: {},
    products,
  } as unknown as Environment;
}

function removalOf({ purpose }: World): Removal {
  return {
    ...{ run: RUN, runId: RUN_ID, outputDirectory: output },
    place: join(`${output}.staging`, OURS),
    remover: {
      ...{ document: DOCUMENT, attempt: OURS, host: HERE, purpose },
      ...{ known: [], silent: false },
    },
  };
}

/** Removes under the circumstances; `products` may be those of one who is cut. */
async function removed(world: World, products?: Products): Promise<void> {
  lay(world);
  const file = world.open
    ? openSync(join(output, nameIn(world), 'peaks-abcdefghij-000000'), 'r')
    : null;
  try {
    const { signal } = new AbortController();
    await removeProducts(environment(world, products), removalOf(world), signal);
  } finally {
    if (file !== null) closeSync(file);
  }
}

/**
 * What may never go, in words of its own: what another attempt has or is done with, what is another
 * document's, and what may be somebody's who says nothing.
 */
// eslint-disable-next-line complexity -- The rule once more, in the order of its sentences, to be compared with.
function isSomebodyElses(world: World): boolean {
  const { word, state, holder, lastAttempt, purpose, other } = world;
  const isHeld = state === 'considering' || state === 'busy';
  const holds = isHeld && holder === OURS;
  if (other === 'lists' && !(world.unfinished && typeof word !== 'string')) return true;
  if (typeof word === 'string') {
    const isListed = world.listed.includes(HERE);
    if (!holds || purpose !== 'before_attempt' || other !== 'none') return true;
    if (word === 'silent' && !world.unfinished && !isListed) return true;
    if (world.open || (world.orphan !== 'none' && world.orphan !== 'other')) return true;
    return word === 'silent' && world.age < QUIET_SECONDS;
  }
  if (word.document !== DOCUMENT) return true;
  if (word.attempt === OURS) return state === 'done' && lastAttempt === OURS;
  if (purpose === 'take_back' || !holds) return true;
  return word.host !== HERE && (world.open || world.age < 60);
}

const anyWord: fc.Arbitrary<Word> = fc.oneof(
  fc.constantFrom<Word>('silent', 'torn'),
  fc.record({
    attempt: fc.constantFrom(OURS, THEIRS, EARLIER),
    document: fc.constantFrom(DOCUMENT, DOCUMENT, 'other'),
    host: fc.constantFrom(HERE, ELSEWHERE),
  }),
);
const anyWorld: fc.Arbitrary<World> = fc.record({
  word: anyWord,
  unfinished: fc.boolean(),
  condemned: fc.boolean(),
  age: fc.constantFrom(0, 30, 61, 599, 601, 86_400),
  open: fc.boolean(),
  listed: fc.subarray([HERE, ELSEWHERE]),
  state: fc.constantFrom(null, 'considering', 'busy', 'done', 'failed'),
  host: fc.constantFrom(HERE, ELSEWHERE),
  holder: fc.constantFrom(OURS, OURS, THEIRS, null),
  lastAttempt: fc.constantFrom(OURS, THEIRS, null),
  other: fc.constantFrom('none', 'none', 'there', 'lists'),
  orphan: fc.constantFrom('none', 'none', 'this', 'other', null),
  purpose: fc.constantFrom('before_attempt', 'take_back'),
});

const FILES = ['peaks-abcdefghij-000000', 'peaks-abcdefghij-metadata.json'];

/** It is there, whole, under its own name, and nothing else of it anywhere. */
function expectWhole(name: string): void {
  expect(readdirSync(output)).toEqual([name]);
  expect(readdirSync(join(output, name)).sort()).toEqual(FILES);
}

function trashOf(): string[] {
  const trash = join(`${output}.staging`, OURS, 'trash');
  if (!existsSync(trash)) return [];
  return readdirSync(trash).filter((name) => name !== 'trash.json');
}

/** One whose manager is killed right before or right after a step of a removal. */
function cutAt(step: 'takeAway' | 'destroy' | 'putBack', moment: 'before' | 'after'): Products {
  const cut = async (...args: never[]) => {
    if (moment === 'after')
      await (productsOnDisk[step] as (...a: never[]) => Promise<unknown>)(...args);
    throw new Error('killed here');
  };
  return { ...productsOnDisk, [step]: cut };
}

describe('Whatever a folder says, how old it is, who has it open, who lists it and who has the run', () => {
  test('nothing of somebody else is ever gone, and what stays has its own name', async () => {
    await fc.assert(
      fc.asyncProperty(anyWorld, async (world) => {
        await removed(world);
        expect(trashOf()).toEqual([]);
        const isGone = readdirSync(output).length === 0;
        if (!isGone) expectWhole(ownName(world));
        expect(isGone && isSomebodyElses(world)).toBe(false);
      }),
      { numRuns: 200 },
    );
  }, 120_000);

  test('and wherever its removal is cut, a start leaves it gone by right, or with its own name', async () => {
    const anyCut = fc.constantFrom(
      ...(['takeAway', 'destroy', 'putBack'] as const).flatMap((step) =>
        (['before', 'after'] as const).map((moment) => ({ step, moment })),
      ),
    );
    await fc.assert(
      fc.asyncProperty(anyWorld, anyCut, async (world, { step, moment }) => {
        await removed(world, cutAt(step, moment)).catch((error: Error) => {
          expect(error.message).toBe('killed here');
        });
        expect(await productsOnDisk.tidyTrash(removalOf(world).place)).toEqual([]);
        expect(trashOf()).toEqual([]);
        const [left] = readdirSync(output);
        if (left === undefined) {
          expect(isSomebodyElses(world)).toBe(false);
          return;
        }
        // The removal never came to it.
        expect([ownName(world), nameIn(world)]).toContain(left);
        expectWhole(left);
      }),
      { numRuns: 200 },
    );
  }, 120_000);
});

const WRITTEN: World = {
  ...{ word: 'silent', unfinished: true, condemned: false, age: 3600, open: false, listed: [HERE] },
  ...{ state: 'considering', host: HERE, holder: OURS, lastAttempt: null, other: 'none' },
  ...{ orphan: 'none', purpose: 'before_attempt' },
};

describe('A folder that does not say who made it', () => {
  it.each<[string, Partial<World>]>([
    ['it is unfinished and quiet', {}],
    ['it is finished, and the run lists it for this host', { unfinished: false }],
    ['a process of the reference makes another run', { orphan: 'other' }],
    ['its metadata is torn, and nobody has it open', { word: 'torn', age: 0 }],
    ['it is torn, and its entry is withdrawn', { word: 'torn', unfinished: false, listed: [] }],
  ])('is removed before an attempt where %s', async (_what, change) => {
    await removed({ ...WRITTEN, ...change });
    expect(readdirSync(output)).toEqual([]);
  });

  it.each<[string, Partial<World>]>([
    ['it is finished, and the run does not list it', { unfinished: false, listed: [] }],
    ['the run lists it for another host', { unfinished: false, listed: [ELSEWHERE] }],
    ['another document has the number', { other: 'there' }],
    ['it was changed less than 10 min ago', { age: 590 }],
    ['a process has it open', { open: true }],
    ['it is torn, and a process has it open', { word: 'torn', open: true }],
    ['a process of the reference lives whose manager is gone', { orphan: null }],
    ['a process of the reference makes this run', { orphan: 'this' }],
    ['another attempt has the run', { holder: THEIRS }],
  ])('stays where %s', async (_what, change) => {
    const world = { ...WRITTEN, ...change };
    await removed(world);
    expectWhole(ownName(world));
  });

  it('is held by whoever has it open, also where the output folder is a link', async () => {
    lay(WRITTEN);
    const linked = join(root, 'linked');
    symlinkSync(output, linked);
    const file = openSync(join(output, nameIn(WRITTEN), 'peaks-abcdefghij-000000'), 'r');
    const removal = { ...removalOf(WRITTEN), outputDirectory: linked };
    const { signal } = new AbortController();
    const answer = await removeProducts(environment(WRITTEN), removal, signal);
    closeSync(file);
    expect(answer?.left.map(({ held }) => held)).toEqual([true]);
    expect(answer?.left[0]?.why).toContain('open');
    expectWhole(ownName(WRITTEN));
  });

  it('has its name again where somebody begins to write between the look at it and its removal', async () => {
    let writes = false;
    const products: Products = {
      ...productsOnDisk,
      takeAway: async (...args) => {
        writes = true;
        return productsOnDisk.takeAway(...args);
      },
      activity: async (path) => {
        if (writes) writeFileSync(join(path, 'peaks-abcdefghij-000001'), 'new');
        return productsOnDisk.activity(path);
      },
    };
    await removed(WRITTEN, products);
    expect(readdirSync(output)).toEqual([ownName(WRITTEN)]);
    expect(readdirSync(join(output, ownName(WRITTEN)))).toContain('peaks-abcdefghij-000001');
  });
});
