import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';

import {
  heldBecause,
  mayRemove,
  runNow,
  type FolderAt,
  type FolderWord,
  type Remover,
  type RunNow,
} from '../../../src/domain/ownership.ts';

const LOCATION = '/out/000052-peaks-abc';
const RUN = 'run52';
const OURS = 'ours';
const says = (attempt: string, more: Partial<Extract<FolderWord, { kind: 'says' }>> = {}) =>
  ({ kind: 'says', attempt, document: RUN, host: 'eb3', ...more }) as const;

const folder = (word: FolderWord, unfinished = false): FolderAt => ({
  location: LOCATION,
  unfinished,
  word,
});

const remover = (purpose: Remover['purpose'], more: Partial<Remover> = {}): Remover => ({
  document: RUN,
  attempt: OURS,
  host: 'eb3',
  purpose,
  known: [],
  silent: false,
  ...more,
});

function run(
  bootstrax: Record<string, unknown>,
  entries: readonly { host: string; location: string }[] = [],
  document = RUN,
): RunNow {
  return runNow(document, { bootstrax, data: entries });
}

const here = { host: 'eb3', location: LOCATION };
const there = { host: 'eb4', location: LOCATION };
const held = { state: 'considering', host: 'eb3', attempt: OURS };
const done = (host: string, attempt: string) => ({ state: 'done', host, last_attempt: attempt });
const SILENT = { kind: 'silent' } as const;
const TORN = { kind: 'torn' } as const;

interface Case {
  what: string;
  folder: FolderAt;
  documents: RunNow[];
  remover: Remover;
  answer: 'yes' | 'no' | 'unless_held unknown' | 'unless_held other_host';
}

const CASES: Case[] = [
  {
    what: 'another manager of this host has concluded this very attempt as done',
    folder: folder(says(OURS)),
    documents: [run(done('eb3', OURS), [here])],
    remover: remover('take_back'),
    answer: 'no',
  },
  {
    what: 'the same, and the entry is not listed yet',
    folder: folder(says(OURS)),
    documents: [run(done('eb3', OURS))],
    remover: remover('take_back'),
    answer: 'no',
  },
  {
    what: 'on a shared folder another host is done: its products',
    folder: folder(says('theirs', { host: 'eb4' })),
    documents: [run(done('eb4', 'theirs'), [there])],
    remover: remover('take_back'),
    answer: 'no',
  },
  {
    what: 'on a shared folder another host works on it: its products',
    folder: folder(says('theirs', { host: 'eb4' }), true),
    documents: [run({ state: 'busy', host: 'eb4', attempt: 'theirs' }, [there])],
    remover: remover('take_back'),
    answer: 'no',
  },
  {
    what: 'another host is done, and this is what this attempt has made on its own disk',
    folder: folder(says(OURS)),
    documents: [run(done('eb4', 'theirs'), [there])],
    remover: remover('take_back'),
    answer: 'yes',
  },
  {
    what: 'what this attempt made, when it has failed',
    folder: folder(says(OURS)),
    documents: [run({ state: 'failed', host: 'eb3', last_attempt: OURS })],
    remover: remover('take_back'),
    answer: 'yes',
  },
  {
    what: 'the run is done with an attempt that makes what it lacks: what it had',
    folder: folder(says('first')),
    documents: [run({ ...done('eb3', 'first'), debt: { attempt: OURS } }, [here])],
    remover: remover('before_attempt'),
    answer: 'no',
  },
  {
    what: 'the same: what an earlier such attempt has left',
    folder: folder(says('second'), true),
    documents: [run({ ...done('eb3', 'first'), debt: { attempt: OURS } }, [here])],
    remover: remover('before_attempt'),
    answer: 'yes',
  },
  {
    what: 'the same: what another such attempt makes now',
    folder: folder(says('second'), true),
    documents: [run({ ...done('eb3', 'first'), debt: { attempt: 'second' } }, [here])],
    remover: remover('take_back'),
    answer: 'no',
  },
  {
    what: 'it was made for another run document with the number',
    folder: folder(says('first', { document: 'other' })),
    documents: [run(held, [here]), run(done('eb3', 'first'), [here], 'other')],
    remover: remover('before_attempt'),
    answer: 'no',
  },
  {
    what: 'another run document with the number lists it, by another path',
    folder: folder(says('first')),
    documents: [run(held), run({}, [{ ...there, location: '/mnt/000052-peaks-abc/' }], 'other')],
    remover: remover('before_attempt'),
    answer: 'no',
  },
  {
    what: 'a silent folder, and there is another run document with the number',
    folder: folder(SILENT, true),
    documents: [run(held), run({}, [], 'other')],
    remover: remover('before_attempt'),
    answer: 'no',
  },
  {
    what: 'the run document is gone',
    folder: folder(says(OURS)),
    documents: [],
    remover: remover('take_back'),
    answer: 'no',
  },
  {
    what: 'an earlier attempt of this host has left it, before an attempt',
    folder: folder(says('first')),
    documents: [run(held, [here])],
    remover: remover('before_attempt'),
    answer: 'yes',
  },
  {
    what: 'an attempt of another host has left it, before an attempt',
    folder: folder(says('first', { host: 'eb4' })),
    documents: [run(held, [there])],
    remover: remover('before_attempt'),
    answer: 'unless_held other_host',
  },
  {
    what: 'before an attempt that has lost the run',
    folder: folder(says('first')),
    documents: [run({ ...held, attempt: 'theirs' })],
    remover: remover('before_attempt'),
    answer: 'no',
  },
  {
    what: 'a silent folder that the run lists for this host, before an attempt',
    folder: folder(SILENT),
    documents: [run(held, [here])],
    remover: remover('before_attempt'),
    answer: 'unless_held unknown',
  },
  {
    what: 'a silent folder that the run lists for another host only',
    folder: folder(SILENT),
    documents: [run(held, [there])],
    remover: remover('before_attempt'),
    answer: 'no',
  },
  {
    what: 'a silent folder that is unfinished, before an attempt',
    folder: folder(SILENT, true),
    documents: [run(held)],
    remover: remover('before_attempt'),
    answer: 'unless_held unknown',
  },
  {
    what: 'a silent folder, after the attempt',
    folder: folder(SILENT),
    documents: [run({ state: 'failed' })],
    remover: remover('take_back', { known: [LOCATION] }),
    answer: 'no',
  },
  {
    what: 'a silent folder that this attempt of an earlier release has begun',
    folder: folder(SILENT),
    documents: [run({ state: 'failed' })],
    remover: remover('take_back', { known: [LOCATION], silent: true }),
    answer: 'yes',
  },
  {
    what: 'the same, while the reference has the run',
    folder: folder(SILENT),
    documents: [run({ state: 'busy', host: 'eb3' }, [here])],
    remover: remover('take_back', { known: [LOCATION], silent: true }),
    answer: 'no',
  },
  {
    what: 'an unreadable folder, before an attempt',
    folder: folder(TORN),
    documents: [run(held)],
    remover: remover('before_attempt'),
    answer: 'yes',
  },
  {
    what: 'an unreadable folder that a done run lists',
    folder: folder(TORN),
    documents: [run(done('eb4', 'theirs'), [there])],
    remover: remover('take_back', { known: [LOCATION] }),
    answer: 'no',
  },
  {
    what: 'an unreadable folder that this attempt has begun',
    folder: folder(TORN, true),
    documents: [run({ state: 'failed' })],
    remover: remover('take_back', { known: [LOCATION] }),
    answer: 'yes',
  },
];

describe('A product folder is removed only by whom it belongs to', () => {
  it.each(CASES)('$what: $answer', ({ folder: at, documents, remover: who, answer }) => {
    const may = mayRemove(at, documents, who);
    expect(may.kind === 'unless_held' ? `${may.kind} ${may.maker}` : may.kind).toBe(answer);
  });
});

const anyAttempt = fc.constantFrom(OURS, 'theirs', 'third');
const anyHost = fc.constantFrom('eb3', 'eb4');
const anyWord: fc.Arbitrary<FolderWord> = fc.oneof(
  fc.record({
    kind: fc.constant('says' as const),
    attempt: anyAttempt,
    document: fc.constantFrom(RUN, 'other', null),
    host: anyHost,
  }),
  fc.constantFrom(SILENT, TORN),
);
const anyFolder = fc.record({
  location: fc.constant(LOCATION),
  unfinished: fc.boolean(),
  word: anyWord,
});
const anyEntries = fc.subarray([here, there]);
const anyFields = fc.record({
  state: fc.constantFrom(null, 'considering', 'busy', 'done', 'failed', 'abandoned'),
  host: anyHost,
  attempt: fc.option(anyAttempt, { nil: undefined }),
  last_attempt: fc.option(anyAttempt, { nil: undefined }),
  debt_paid: fc.option(anyAttempt, { nil: undefined }),
  debt: fc.option(fc.record({ attempt: anyAttempt }), { nil: undefined }),
});
const anyRun = (document: string) =>
  fc.tuple(anyFields, anyEntries).map(([fields, entries]) => run(fields, entries, document));
const anyDocuments = fc
  .tuple(anyRun(RUN), fc.option(anyRun('other'), { nil: undefined }))
  .map(([own, other]) => (other === undefined ? [own] : [own, other]));
const anyRemover = fc.record({
  document: fc.constantFrom(RUN, null),
  attempt: fc.constant(OURS),
  host: anyHost,
  purpose: fc.constantFrom('before_attempt' as const, 'take_back' as const),
  known: fc.subarray([LOCATION]),
  silent: fc.boolean(),
});

function always(holds: (at: FolderAt, documents: RunNow[], who: Remover) => boolean): void {
  fc.assert(
    fc.property(anyFolder, anyDocuments, anyRemover, (at, documents, who) => {
      return mayRemove(at, documents, who).kind === 'no' || holds(at, documents, who);
    }),
    { numRuns: 2000 },
  );
}

describe('Whatever documents and folders say, nothing is removed', () => {
  test('that was made by another attempt which has its run', () => {
    always(({ word }, documents) =>
      documents.every(
        ({ holder }) => word.kind !== 'says' || holder !== word.attempt || holder === OURS,
      ),
    );
  });

  test('that a done run has by the attempt that was concluded', () => {
    always(
      ({ word, unfinished }, [own]) =>
        unfinished || word.kind !== 'says' || own?.madeBy.includes(word.attempt) !== true,
    );
  });

  test('that says it is of another attempt, unless this one has the run', () => {
    always(
      ({ word }, [own], { purpose }) =>
        word.kind !== 'says' ||
        word.attempt === OURS ||
        (own?.holder === OURS && purpose === 'before_attempt'),
    );
  });

  test('that was made for another run document', () => {
    always(({ word }) => word.kind !== 'says' || word.document !== 'other');
  });

  test('that says nothing and that a done run lists, or another has, or may be of another document', () => {
    always(
      ({ word, unfinished }, documents) =>
        word.kind === 'says' ||
        (documents.length === 1 &&
          documents.every(
            ({ state, listed, holder }) =>
              !(state === 'done' && !unfinished && listed.length > 0) &&
              (holder === null || holder === OURS) &&
              !((state === 'busy' || state === 'considering') && holder !== OURS),
          )),
    );
  });
});

describe('A folder of an unknown maker counts as held', () => {
  const now = 1_000_000_000;
  it.each([
    ['while it is open', { newestMs: 0, openBy: [7] }, true],
    ['when it was changed a moment ago', { newestMs: now - 1000, openBy: [] }, true],
    ['when a clock is a little ahead', { newestMs: now + 30_000, openBy: [] }, true],
    ['but not when it is quiet', { newestMs: now - 600_000, openBy: [] }, false],
    ['nor when its time is of a wrong clock', { newestMs: now + 1e9, openBy: [] }, false],
  ])('%s', (_when, activity, isHeld) => {
    expect(heldBecause(activity, now, 600) !== null).toBe(isHeld);
  });
});

test('what an attempt left that failed may go, although another program has done the run since and copied its id along', () => {
  const copied = { state: 'done', host: 'eb9', last_attempt: OURS, outcome: 'failed' };
  const elsewhere = [{ host: 'eb9', location: '/else/000052-peaks-abc' }];
  expect(
    mayRemove(folder(says(OURS), true), [run(copied, elsewhere)], remover('take_back')),
  ).toEqual({
    kind: 'yes',
  });
  const own = { ...copied, outcome: 'done' };
  expect(
    mayRemove(folder(says(OURS), true), [run(own, elsewhere)], remover('take_back')).kind,
  ).toBe('no');
});

test('a document with anything in it is read without an error', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom('bootstrax', 'data'), fc.anything()), (fields) => {
      runNow(RUN, fields);
    }),
  );
});
