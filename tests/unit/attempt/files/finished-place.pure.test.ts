import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';

import {
  type FolderInPlace,
  FORGOTTEN_SECONDS,
  type PlaceSeen,
  placeVerdict,
} from '../../../../src/attempt/files/finished-place.pure.ts';
import type { FolderWord, RunNow } from '../../../../src/attempt/files/ownership.pure.ts';

const OURS = 'a'.repeat(24);
const ANOTHER = 'b'.repeat(24);
const HOST = 'eb3';
const NAME = '000007-peaks-abc';

function says(changes: Partial<{ attempt: string; host: string; document: string }> = {}) {
  return { kind: 'says', attempt: OURS, document: 'd', host: HOST, ...changes } as const;
}

function folder(word: FolderWord = says(), changes: Partial<FolderInPlace> = {}): FolderInPlace {
  return { name: NAME, runId: '000007', unfinished: false, word, ...changes };
}

/** What a superseded attempt has finished, its state folder being there. */
function place(changes: Partial<PlaceSeen> = {}): PlaceSeen {
  return {
    attempt: OURS,
    folders: [folder()],
    whole: [NAME],
    isRecorded: true,
    unchangedSeconds: 3600,
    heldBecause: null,
    ...changes,
  };
}

function run(changes: Partial<RunNow> = {}): RunNow {
  return {
    ...{ document: 'd', state: 'busy', host: 'eb4', holder: ANOTHER, madeBy: [], failed: null },
    listed: [],
    ...changes,
  };
}

const done = (name: string, host = 'eb4') =>
  run({ state: 'done', holder: null, madeBy: [ANOTHER], listed: [{ host, location: name }] });

const kindOf = (seen: PlaceSeen, documents: readonly RunNow[]) =>
  placeVerdict(seen, documents, HOST).kind;

describe('what a superseded attempt has finished stays in its place', () => {
  it.each([
    ['while another attempt has the run', run()],
    ['while the run waits to be tried again', run({ state: 'failed', holder: null })],
    ['when the run is done with other data', done('/output/000007-peaks-xyz')],
    ['when the run is done with nothing listed', run({ state: 'done', holder: null })],
    ['while the attempt has the run itself', run({ holder: OURS })],
    ['while another document of the number is done', { ...done(`/o/${NAME}`), document: 'other' }],
  ])('%s', (_, document) => {
    expect(kindOf(place(), [document])).toBe('stays');
  });

  it.each([
    ['the run is done with the same data, here or elsewhere', [done(`/elsewhere/${NAME}`)]],
    ['the run is abandoned', [run({ state: 'abandoned', holder: null })]],
  ])('until %s', (_, documents) => {
    expect(kindOf(place(), documents)).toBe('remove');
  });

  it('until all of it is listed, and not only a part', () => {
    const second = folder(says(), { name: '000007-events-abc' });
    const seen = place({ folders: [folder(), second], whole: [NAME, second.name] });
    expect(kindOf(seen, [done(`/output/${NAME}`)])).toBe('stays');
  });

  it('for two weeks at most', () => {
    expect(kindOf(place({ unchangedSeconds: FORGOTTEN_SECONDS }), [run()])).toBe('remove');
  });
});

describe('a place of no attempt that is known here', () => {
  it.each<[string, Partial<PlaceSeen>, 'remove' | 'stays' | 'theirs']>([
    ['is left to another host', { folders: [folder(says({ host: 'eb4' }))] }, 'theirs'],
    ['stays while somebody has it open', { whole: [], heldBecause: 'process 7 ...' }, 'stays'],
    ['goes if nothing in it is finished', { whole: [] }, 'remove'],
    ['stays if it says nothing of its maker', { folders: [], whole: [] }, 'stays'],
    [
      'goes if it has said nothing of its maker for two weeks',
      { folders: [], whole: [], unchangedSeconds: FORGOTTEN_SECONDS },
      'remove',
    ],
    [
      'stays if a folder in it is of another attempt',
      { folders: [folder(), folder(says({ attempt: ANOTHER }))], whole: [] },
      'stays',
    ],
  ])('%s', (_, changes, kind) => {
    expect(kindOf(place({ isRecorded: false, ...changes }), [run()])).toBe(kind);
  });

  it('is still this host’s if its record says so, whatever the host was called then', () => {
    const renamed = place({ folders: [folder(says({ host: 'old-name' }))], whole: [] });
    expect(kindOf(renamed, [run()])).toBe('remove');
  });
});

test('no place of another host, and none whose attempt has the run, is ever removed', () => {
  const places = fc.record({
    whole: fc.subarray([NAME]),
    unchangedSeconds: fc.integer({ min: 0, max: 2 * FORGOTTEN_SECONDS }),
    heldBecause: fc.constantFrom(null, 'process 7 has files of it open'),
  });
  const states = fc.constantFrom('busy', 'done', 'failed', 'abandoned', null);
  fc.assert(
    fc.property(places, states, fc.boolean(), (changes, state, isOurs) => {
      const word = isOurs ? says() : says({ host: 'eb4' });
      const seen = place({ ...changes, isRecorded: false, folders: [folder(word)] });
      const holder = isOurs ? OURS : null;
      return kindOf(seen, [run({ state, holder })]) !== 'remove';
    }),
  );
});
