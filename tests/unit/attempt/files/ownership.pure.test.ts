import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';

import {
  type FolderAt,
  type FolderWord,
  heldBecause,
  mayRemove,
  type Remover,
  type RunNow,
  runNow,
} from '../../../../src/attempt/files/ownership.pure.ts';
import { readRun } from '../../../../src/run/run.pure.ts';

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
  return runNow(document, readRun({ bootstrax, data: entries }));
}

type Entry = RunNow['listed'][number];
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
  answer: 'yes' | 'no' | `unless_held ${'unknown' | 'other_host' | 'torn'}`;
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
    what: 'an unreadable folder, unfinished, before an attempt',
    folder: folder(TORN, true),
    documents: [run(held)],
    remover: remover('before_attempt'),
    answer: 'unless_held torn',
  },
  {
    what: 'an unreadable folder, finished, that the run lists for this host, before an attempt',
    folder: folder(TORN),
    documents: [run(held, [here])],
    remover: remover('before_attempt'),
    answer: 'unless_held torn',
  },
  {
    what: 'the same, when a cut removal has withdrawn its entry already',
    folder: folder(TORN),
    documents: [run(held)],
    remover: remover('before_attempt'),
    answer: 'unless_held torn',
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
  outcome: fc.constantFrom<unknown>(undefined, null, 7, 'done', 'failed', 'requeued', 'set_aside'),
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

  test('that a done run lists for the host that has made it, if the attempt was concluded', () => {
    always(({ word, unfinished }, [own]) => {
      if (unfinished || word.kind !== 'says' || own?.state !== 'done') return true;
      const { madeBy, failed, listed } = own;
      const isConcluded = failed === word.attempt || madeBy.includes(word.attempt);
      return !isConcluded || !listed.some(({ host }) => host === word.host);
    });
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

describe('Another program has done the run since and copied along the id of an attempt of ours', () => {
  const copied = { state: 'done', host: 'eb9', last_attempt: OURS };
  const elsewhere = { host: 'eb9', location: '/else/000052-peaks-abc' };
  const may = (
    fields: Record<string, unknown>,
    { entries = [elsewhere], unfinished = true }: { entries?: Entry[]; unfinished?: boolean } = {},
  ) => {
    const own = run({ ...copied, ...fields }, entries);
    return mayRemove(folder(says(OURS), unfinished), [own], remover('take_back')).kind;
  };

  it.each(['failed', 'requeued', 'given_up'])('what it left when it had %s goes', (outcome) => {
    expect(may({ outcome })).toBe('yes');
    expect(may({ outcome }, { unfinished: false })).toBe('yes');
  });

  it.each(['failed', 'requeued', 'given_up'])(
    'what the run lists of it stays: it was done before it was %s',
    (outcome) => {
      expect(may({ outcome }, { entries: [here, elsewhere], unfinished: false })).toBe('no');
      // A person has called it done again.
      expect(may({ outcome, host: 'console' }, { entries: [here], unfinished: false })).toBe('no');
      expect(may({ outcome, host: 'eb3' }, { entries: [here], unfinished: false })).toBe('no');
    },
  );

  it.each([
    ['it was done', 'done'],
    ['it was set aside with raw records that stay', 'set_aside'],
    ['it was done, and abandoned by a tag', 'abandoned'],
    ['an earlier release did not say', undefined],
    ['nothing is said', null],
    ['a later release says something else', 'celebrated'],
    ['a number', 0],
    ['a list', ['failed']],
    ['an object', { kind: 'failed' }],
  ])('all of it stays where its outcome does not say that it failed: %s', (_what, outcome) => {
    expect(may({ outcome })).toBe('no');
    expect(may({ outcome }, { unfinished: false })).toBe('no');
    expect(may({ outcome }, { entries: [], unfinished: false })).toBe('no');
  });

  it('what paid the debt of a done run stays, whatever its outcome says', () => {
    for (const outcome of ['done', 'failed', 'requeued', 'set_aside', undefined, 7]) {
      expect(may({ outcome, last_attempt: 'first', debt_paid: OURS })).toBe('no');
      expect(may({ outcome, last_attempt: OURS, debt_paid: OURS })).toBe('no');
    }
  });

  it('where two documents have the number, all of it stays', () => {
    const other = run({ ...copied, outcome: 'failed' }, [], 'other');
    const own = run({ state: 'failed', outcome: 'failed', last_attempt: OURS });
    expect(mayRemove(folder(says(OURS), true), [own, other], remover('take_back')).kind).toBe('no');
  });
});

test('a document with anything in it is read without an error', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom('bootstrax', 'data'), fc.anything()), (fields) => {
      runNow(RUN, readRun(fields));
    }),
  );
});
