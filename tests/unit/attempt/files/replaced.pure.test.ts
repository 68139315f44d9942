import { expect, it } from 'vitest';

import {
  type FolderAt,
  type FolderWord,
  mayRemove,
  type Remover,
  runNow,
} from '../../../../src/attempt/files/ownership.pure.ts';
import { readRun } from '../../../../src/run/run.pure.ts';

const OLD = '/out/000052-peaks-abc';
const NEW = { host: 'eb3', location: '/out/000052-peaks-new' };
const RUN = 'run52';

const says = (attempt: string, document = RUN): FolderWord => ({
  kind: 'says',
  attempt,
  document,
  host: 'eb3',
});

const folder = (word: FolderWord, more: Partial<FolderAt> = {}): FolderAt => ({
  location: OLD,
  unfinished: false,
  word,
  ...more,
});

const DONE = { state: 'done', host: 'eb3', last_attempt: 'ours' };

function verdict(
  at: FolderAt,
  bootstrax: Record<string, unknown> = DONE,
  data: readonly { host: string; location: string }[] = [NEW],
  others: readonly { host: string; location: string }[] = [],
) {
  const remover: Remover = {
    ...{ document: RUN, attempt: 'ours', host: 'eb3', purpose: 'replaced', silent: false },
    known: [`${OLD}/`],
  };
  const documents = [runNow(RUN, readRun({ bootstrax, data }))];
  if (others.length > 0) documents.push(runNow('other', readRun({ bootstrax: {}, data: others })));
  return mayRemove(at, documents, remover).kind;
}

it.each([
  ['of an earlier attempt', says('before')],
  ['of an attempt of another host', { ...says('before'), host: 'eb4' } as FolderWord],
  ['of the reference', { kind: 'silent' } as const],
  ['that cannot be read any more', { kind: 'torn' } as const],
])('a product %s goes once the run is done with what replaces it', (_, word) => {
  expect(verdict(folder(word))).toBe('yes');
});

it.each([
  ['while the attempt still works', { state: 'busy', host: 'eb3', attempt: 'ours' }],
  ['when the attempt has failed', { state: 'failed', host: 'eb3', last_attempt: 'ours' }],
  ['when the run is done with something else', { ...DONE, last_attempt: 'theirs' }],
  ['when the run is claimed anew', { state: 'considering', host: 'eb3', attempt: 'theirs' }],
])('it stays %s', (_, bootstrax) => {
  expect(verdict(folder(says('before')), bootstrax)).toBe('no');
});

it('it stays as long as the run lists it, or another document of the number does', () => {
  const entry = { host: 'eb3', location: OLD };
  expect(verdict(folder(says('before')), DONE, [NEW, entry])).toBe('no');
  expect(verdict(folder(says('before')), DONE, [NEW], [entry])).toBe('no');
});

it('nothing else goes with it', () => {
  expect(verdict(folder(says('before'), { location: '/out/000052-peaks-xyz' }))).toBe('no');
  expect(verdict(folder(says('before'), { unfinished: true }))).toBe('no');
  expect(verdict(folder(says('ours')))).toBe('no');
  expect(verdict(folder(says('before', 'another')))).toBe('no');
});
