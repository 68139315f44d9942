import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { outcomeOf } from '../../../src/attempt/outcome.pure.ts';
import { defaultRules } from '../../../src/infra/config/rules.pure.ts';
import { decidePlan } from '../../../src/plan/plan.pure.ts';
import { selectTargets, unknownDefaultTargets } from '../../../src/plan/targets.pure.ts';
import { concludeFailure } from '../../../src/retry/backoff.pure.ts';
import {
  documentMark,
  isMended,
  type LiveLook,
  unmendable,
  unmendableError,
} from '../../../src/retry/unmendable.pure.ts';
import { LIVE_DATA } from '../../../src/run/no-field.pure.ts';
import { parseRun } from '../../../src/run/run.pure.ts';
import { at, run, runDocument } from '../run/documents.ts';

const PATH = '/live_data/xenonnt/004711';
const folder = (changes: Partial<Extract<LiveLook, { kind: 'folder' }>> = {}): LiveLook => ({
  ...{ kind: 'folder', path: PATH, hasChunks: true, hasFirst: true, hasMore: true },
  ...{ ended: true, mark: '9 1' },
  ...changes,
});
const EMPTY = folder({ hasChunks: false, hasFirst: false, ended: false });
const ONLY_END = folder({ hasChunks: false, hasFirst: false });
const MISSING: LiveLook = { kind: 'missing', path: PATH };
const UNSEEN: LiveLook = { kind: 'unseen', why: 'not mounted' };
const TAKEN = folder({ ended: false });

describe('what no attempt at a run could mend', () => {
  it.each<[string, Record<string, unknown>, LiveLook, string[] | null, boolean]>([
    ['an ended run with all its data', { end: at(0) }, folder(), null, false],
    ['a run that is taken', { end: null }, TAKEN, null, false],
    ['a run that begins', { end: null }, MISSING, null, false],
    ['a run that begins, its folder made', { end: null }, EMPTY, null, false],
    ['an end before the start', { end: at(-2) }, folder(), ['end'], true],
    ['an end at the start', { end: at(-1) }, folder(), ['end'], true],
    ['an end at the start of one chunk', { end: at(-1) }, folder({ hasMore: false }), null, false],
    ['an end at the start, no chunk', { end: at(-1) }, MISSING, ['end', LIVE_DATA], false],
    ['an end before the start, still written', { end: at(-2) }, TAKEN, ['end'], true],
    ['an end before the start, no chunk', { end: at(-2) }, EMPTY, ['end', LIVE_DATA], false],
    ['an end before the start, no folder', { end: at(-2) }, MISSING, ['end', LIVE_DATA], false],
    ['an unreadable end after THE_END', { end: 'soon' }, folder(), ['end'], true],
    ['an unreadable end of a run that is taken', { end: 'soon' }, TAKEN, null, false],
    ['an unreadable end and no chunk', { end: 7 }, ONLY_END, ['end', LIVE_DATA], false],
    ['an unreadable end and no folder yet', { end: 7 }, MISSING, null, false],
    ['THE_END without a chunk', { end: at(0) }, ONLY_END, [LIVE_DATA], false],
    ['THE_END without a chunk, no end yet', { end: null }, ONLY_END, [LIVE_DATA], false],
    ['an empty folder of an ended run', { end: at(0) }, EMPTY, [LIVE_DATA], false],
    ['no folder of an ended run', { end: at(0) }, MISSING, [LIVE_DATA], false],
    ['no first chunk', { end: at(0) }, folder({ hasFirst: false }), [LIVE_DATA], false],
    [
      'no first chunk so far',
      { end: null },
      folder({ hasFirst: false, ended: false }),
      null,
      false,
    ],
    ['live data that this host does not see', { end: at(0) }, UNSEEN, null, false],
    [
      'no live entry any more',
      { end: at(0), data: [{ type: 'x', host: 'h', location: '/x' }], bootstrax: STARTED() },
      folder(),
      ['data'],
      false,
    ],
  ])('%s', (...[, changes, live, fields, canBeRead]) => {
    const found = unmendable(run(changes), live);
    expect(found?.problems.map(({ field }) => field) ?? null).toEqual(fields);
    if (found !== null) expect(found.canBeRead).toBe(canBeRead);
  });

  it('raw records of all that can be read are made where the end cannot be true, without a failure', () => {
    const inputs = {
      ...{ rules: defaultRules, hostTable: 'new', shedding: 'graded' as const, graph: null },
      ...{ culprits: [], memoryFailures: 0, hostTargets: null, rateMBps: null },
    };
    const decided = decidePlan(run({ end: at(-2) }), inputs);
    expect(decided).toMatchObject({ targets: ['raw_records'], salvage: true });
    const whole = decidePlan(run({ end: at(0) }), inputs);
    expect(whole).toMatchObject({ salvage: false });
    const ofFolder = decidePlan(run({ end: 'soon' }), { ...inputs, onlyRaw: 'Because.' });
    expect(ofFolder).toMatchObject({ targets: ['raw_records'], salvage: true });
    // Resources are those of a run without failures.
    if (decided.kind !== 'decided' || whole.kind !== 'decided') throw new Error('no plan');
    expect(decided.cores).toBe(whole.cores);
  });
});

function STARTED() {
  return { state: 'failed', started_processing: at(0), next_retry: at(0), n_failures: 1 };
}

describe('a context that forbids making a target', () => {
  const graph = (forbidden: string[]) => ({
    ...{ version: 1 as const, context: 'small', forbidden },
    types: Object.fromEntries(
      [...defaultRules.targets.default, 'raw_records'].map((type) => [
        type,
        { plugin: type, dependsOn: [], saved: 'always' as const },
      ]),
    ),
  });
  it.each([['*'], [defaultRules.targets.default[0]!]])(
    'is the fault of the host, which takes no run: %s',
    (type) => {
      const found = unknownDefaultTargets(defaultRules.targets, graph([type]));
      expect(found).toContain(defaultRules.targets.default[0]);
      const selected = selectTargets(
        {
          ...{ mode: 'tpc_bkg', detectors: ['tpc'], failures: 0, shedding: 'graded' },
          ...{ graph: graph([type]), culprits: [], hostTargets: null },
        },
        defaultRules.targets,
      );
      expect(selected).toMatchObject({ kind: 'host_problem' });
    },
  );
  it('is of no account for what nobody asks for', () => {
    expect(unknownDefaultTargets(defaultRules.targets, graph(['truth']))).toEqual([]);
  });
});

describe('what an attempt finds that no other would find otherwise', () => {
  const error = (type: string, message: string, plan = { salvage: false, compressor: 'lz4' }) =>
    unmendableError({ type, message, traceback: '' }, plan)?.field ?? null;
  it.each<[string, string, string | null]>([
    ['ValueError', 'Bad data for /l/000001/000000. Got reader9', 'daq_config.processing_threads'],
    ['ValueError', 'reader0 wrote 3, expected2', 'daq_config.processing_threads'],
    ['ValueError', 'reader0 wrote 3 files into /l/1, expected 2', 'daq_config.processing_threads'],
    ['ValueError', 'cannot reshape array', null],
    ['RuntimeError', 'Bad data for x. Got y', null],
    ['NothingReadable', 'nothing of it can be read', null],
    ['DataCorrupted', "Fatal Error while reading file f: KeyError: 'lz4'", 'daq_config.compressor'],
    ['DataCorrupted', "Fatal Error while reading file f: KeyError: 'time'", null],
  ])('%s: %s', (type, message, field) => {
    expect(error(type, message)).toBe(field);
  });

  it('nothing can be read even of what is left when all that is damaged is left out', () => {
    expect(error('NothingReadable', 'none', { salvage: true, compressor: 'lz4' })).toBe(LIVE_DATA);
  });

  it.each([
    ['UnknownTarget', 'context small makes no peaks_x'],
    [
      'DataNotAvailable',
      'x for 1 not found in any storage, and your context specifies it cannot be created.',
    ],
    [
      'DataNotAvailable',
      'x for 1 not found in any storage, and your context specifies no new data can be created.',
    ],
  ])('%s (%s) is the configuration’s fault, and never counted', (type, message) => {
    const judged = outcomeOf(
      {
        ...{ run: 7, started: true, exit: null, ended: null },
        result: {
          ...{ version: 1, attempt: 'a', run: 7, ok: false, products: [], skipped: [] },
          ...{ seconds: 1, peakMemoryBytes: 1, versions: {} },
          error: { type, message, traceback: '', plugin: null, file: null, origin: 'run' },
        } as never,
      },
      { kind: 'ok' },
    );
    expect(judged).toMatchObject({ kind: 'failed', fault: 'configuration' });
    const before = { failures: 2, uncounted: 500, holdersLost: 0 };
    expect(concludeFailure(before, 'configuration', 0.5, defaultRules.retry)).toEqual({
      ...{ kind: 'requeued', holderLost: false },
      delaySeconds: defaultRules.retry.uncounted.maxSeconds,
    });
  });
});

describe('a run that was set aside', () => {
  const looks = fc.oneof(
    fc.constantFrom(MISSING, UNSEEN),
    fc.record({
      kind: fc.constant('folder' as const),
      path: fc.constant(PATH),
      hasChunks: fc.boolean(),
      hasFirst: fc.boolean(),
      hasMore: fc.boolean(),
      ended: fc.boolean(),
      mark: fc.constantFrom('1', '2'),
    }),
  );
  const ASIDE = { state: 'failed', outcome: 'set_aside' };
  const documents = fc
    .record({
      end: fc.constantFrom(null, at(-2), at(-1), at(0), 'soon', 7),
      detectors: fc.constantFrom(['tpc'], null, ['neutron_veto']),
      mode: fc.constantFrom('tpc_bkg', 'tpc_kr83m'),
      daq_config: fc.constantFrom(runDocument()['daq_config'], null),
    })
    .map((changes) => parseRun(runDocument({ ...changes, bootstrax: ASIDE })));

  it('does not go back to the queue while its fault is still there', () => {
    fc.assert(
      fc.property(documents, looks, (parsed, live) => {
        fc.pre(parsed.kind === 'run');
        if (parsed.kind !== 'run') return;
        const fault = unmendable(parsed.run, live);
        fc.pre(fault !== null);
        const { problems } = fault;
        expect(isMended({ problems, faultSeen: null, parsed, live })).toBe(false);
      }),
    );
  });

  it('goes back only to an attempt that has something to read', () => {
    fc.assert(
      fc.property(documents, looks, documents, looks, (before, was, parsed, live) => {
        if (before.kind !== 'run') return;
        const problems = unmendable(before.run, was)?.problems ?? [];
        if (!isMended({ problems, faultSeen: null, parsed, live })) return;
        expect(problems).not.toEqual([]);
        expect(parsed.kind).toBe('run');
        if (parsed.kind !== 'run') return;
        const now = unmendable(parsed.run, live);
        // What is made of it now was not made then.
        if (now !== null) {
          expect(now.canBeRead).toBe(true);
          expect(problems.some(({ field }) => field === LIVE_DATA)).toBe(true);
          // And after that it stays where it is.
          const again = { problems: now.problems, faultSeen: null, parsed, live };
          expect(isMended(again)).toBe(false);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('goes back when document or live data has changed, where only an attempt can tell', () => {
    const parsed = parseRun(runDocument({ end: at(0), bootstrax: ASIDE }));
    if (parsed.kind !== 'run') throw new Error('malformed');
    const problems = [{ field: 'daq_config.processing_threads' }];
    const faultSeen = { document: documentMark(parsed.run), live: '9 1' };
    const mended = (changes: object) =>
      isMended({ problems, faultSeen, parsed, live: folder(), ...changes });
    expect(mended({})).toBe(false);
    expect(mended({ live: folder({ mark: '9 2' }) })).toBe(true);
    const daq = { ...(runDocument()['daq_config'] as object), processing_threads: { r_0: 1 } };
    const other = runDocument({ end: at(0), bootstrax: ASIDE, daq_config: daq });
    expect(mended({ parsed: parseRun(other) })).toBe(true);
    const tagged = runDocument({ end: at(0), bootstrax: ASIDE, tags: [{ name: 'x' }] });
    expect(mended({ parsed: parseRun(tagged) })).toBe(false);
  });

  it.each([
    ['the database refuses its document', [{ field: '(document)' }]],
    ['nobody has said why', []],
  ])('waits for a person if %s', (_, problems) => {
    const parsed = parseRun(runDocument({ end: at(0), bootstrax: ASIDE }));
    expect(isMended({ problems, faultSeen: null, parsed, live: folder() })).toBe(false);
  });
});
