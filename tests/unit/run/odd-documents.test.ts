import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { evaluateClaim, type HostFacts } from '../../../src/claim/claim.pure.ts';
import { defaultRules } from '../../../src/infra/config/rules.pure.ts';
import { planLine } from '../../../src/plan/plan.pure.ts';
import { parseRun, type Run } from '../../../src/run/run.pure.ts';
import { at, NOW, parsed, run, runDocument } from './documents.ts';

const HOST: HostFacts = { host: 'eb3.xenon.local', role: 'primary', accepting: { ok: true } };
const FLEET = { queueLength: 1, livePrimaries: 1 };

/** What is decided of a run: whether it is claimed, and what is made of it. */
function decisions(document: Record<string, unknown>) {
  const read = parseRun(document);
  const { decision } = evaluateClaim(read, HOST, { fleet: FLEET, rules: defaultRules, now: NOW });
  const line = planLine(
    read,
    {
      ...{ rules: defaultRules, hostTable: 'new', shedding: 'reference', graph: null },
      ...{ culprits: [], memoryFailures: 0, hostTargets: null, rateMBps: null },
    },
    null,
  );
  if (!('targets' in line)) return { decision, line };
  const { reasons, ...made } = line;
  return { decision, line: made };
}

const field = (name: string) => (document: Run) => (document as unknown as Fields)[name];
type Fields = Record<string, unknown>;
const live = { type: 'live', host: 'daq', location: '/live_data/xenonnt' };
const daq = runDocument()['daq_config'] as Fields;

describe('an odd field is read as far as it is clear, and named', () => {
  it.each<[odd: string, changes: Fields, read: Fields]>([
    ['detectors', { detectors: 'tpc' }, { detectors: ['tpc'] }],
    ['detectors', { detectors: 'tpc, muon_veto' }, { detectors: ['tpc', 'muon_veto'] }],
    ['detectors', { detectors: ['tpc', 3] }, { detectors: ['tpc'] }],
    ['mode', { mode: 5 }, { mode: '5' }],
    ['mode', { mode: ['pmtgain'] }, { mode: '["pmtgain"]' }],
    ['status', { status: 7 }, { status: '(not text)' }],
    ['status', { status: {} }, { status: '(not text)' }],
    ['end', { end: 17 }, { end: null }],
    ['end', { end: 'soon' }, { end: null }],
    ['end', { end: '2026-03-01T11:30:00Z' }, { end: at(-0.5) }],
    ['start', { start: '2026-03-01T12:00:00.000+01:00' }, { start: at(-1) }],
    ['tags.0', { tags: ['messy'] }, { tags: ['messy'] }],
    ['tags.1', { tags: [{ name: 'x' }, 'hold-processing'] }, { tags: ['x', 'hold-processing'] }],
    ['tags.0', { tags: [5, { name: 'x' }] }, { tags: ['x'] }],
    ['tags.0.name', { tags: [{ name: 5 }] }, { tags: [] }],
    ['tags', { tags: 'abandon' }, { tags: ['abandon'] }],
    ['tags', { tags: { name: 'abandon' } }, { tags: ['abandon'] }],
    ['tags', { tags: 7 }, { tags: [] }],
    ['rate', { rate: 5 }, { rateMBps: null }],
    ['rate.tpc', { rate: { tpc: 5 } }, { rateMBps: null }],
    ['rate.tpc.max', { rate: { tpc: { max: 'high' } } }, { rateMBps: null }],
    ['data.1', { data: [live, null] }, { data: [live] }],
    ['data.0.type', { data: [{ type: 5 }, live] }, { data: [live] }],
    ['data.1.host', { data: [live, { type: 'x', host: 5 }] }, { liveLocation: live.location }],
    [
      'data.0.location',
      { data: [{ ...live, location: 'live' }, live] },
      { liveLocation: live.location },
    ],
    [
      'daq_config.strax_chunk_length',
      { daq_config: { ...daq, strax_chunk_length: '5' } },
      { daq: run().daq },
    ],
    [
      'daq_config.processing_threads.r',
      { daq_config: { ...daq, processing_threads: { r: '2' } } },
      { daq: { ...run().daq, threads: { r: 2 } } },
    ],
    ...['host', 'reason', 'attempt'].map((name): [string, Fields, Fields] => [
      `bootstrax.${name}`,
      { bootstrax: { [name]: 5 } },
      { bootstrax: run().bootstrax },
    ]),
    ...['time', 'started_processing', 'next_retry'].map((name): [string, Fields, Fields] => [
      `bootstrax.${name}`,
      { bootstrax: { [name]: 'soon' } },
      { bootstrax: run().bootstrax },
    ]),
    ...['n_failures', 'uncounted', 'holders_lost'].map((name): [string, Fields, Fields] => [
      `bootstrax.${name}`,
      { bootstrax: { [name]: -1 } },
      { bootstrax: run().bootstrax },
    ]),
    [
      'bootstrax.n_failures',
      { bootstrax: { n_failures: '3' } },
      { bootstrax: { ...run().bootstrax, failures: 3 } },
    ],
  ])('%s in %j', (odd, changes, expected) => {
    const found = run(changes);
    expect(found.oddities.map((each) => each.field)).toEqual([odd]);
    for (const [name, value] of Object.entries(expected)) expect(field(name)(found)).toEqual(value);
  });

  it('also where people ask why', () => {
    const { rules } = evaluateClaim(parsed({ detectors: 'tpc', status: 7 }), HOST, {
      fleet: FLEET,
      rules: defaultRules,
      now: NOW,
    });
    expect(rules.find(({ rule }) => rule === 'the run document is complete')).toEqual({
      rule: 'the run document is complete',
      value: 'complete, though detectors is text, not an array; status is not a string',
      holds: true,
    });
  });

  it.each([
    ['hold-processing', 'held'],
    ['abandon', 'abandoned'],
  ])('a tag %s counts as plain text too', (tag, verdict) => {
    for (const tags of [tag, [tag], { name: tag }, [{ name: tag }], [5, tag]]) {
      expect(decisions(runDocument({ tags })).decision).toMatchObject({ kind: 'pass', verdict });
    }
  });
});

/** Fields without which a run is processed just as well, and what they hold there. */
const NOT_NEEDED = ['status', 'end', 'user', 'comments', 'source', 'rate', 'mode'];
const NOT_NEEDED_BELOW = ['host', 'time', 'reason', 'started_processing', 'attempt', 'outcome'];
const COUNTS = ['n_failures', 'uncounted', 'holders_lost'];

/** Of no type that the field could have. */
const junk = fc.oneof(
  fc.constantFrom<unknown>(true, [], {}, [null], [[]], { name: 5 }, -1, 0.5, NaN, Infinity),
  fc.array(fc.constantFrom<unknown>(1, null, {}, [])),
  fc.object({ maxDepth: 2 }),
);

describe('whatever stands in fields that no decision needs', () => {
  it('changes no decision: 2,000 documents', () => {
    const plain = decisions(runDocument());
    const changes = fc.record(
      Object.fromEntries(NOT_NEEDED.map((name) => [name, fc.option(junk, { nil: undefined })])),
    );
    const below = fc.record(
      Object.fromEntries(
        [...NOT_NEEDED_BELOW, ...COUNTS].map((name) => [name, fc.option(junk, { nil: undefined })]),
      ),
    );
    const tags = fc.array(fc.oneof(fc.constantFrom<unknown>('messy', 5, null, { a: 1 }), junk));
    const entries = fc.array(fc.oneof(junk, fc.record({ type: junk, host: junk })));
    fc.assert(
      fc.property(changes, below, tags, entries, (odd, own, tagged, data) => {
        const document = runDocument({
          ...odd,
          tags: tagged.filter((tag) => !isTag(tag)),
          bootstrax: { ...own, state: null },
          data: [...data, live],
        });
        expect(decisions(document)).toEqual(plain);
      }),
      { numRuns: 2000 },
    );
  });

  it('a run that is none of this is not called odd', () => {
    expect(run({ status: 'needs_upload', tags: [{ name: 'x' }], end: at(0) }).oddities).toEqual([]);
  });
});

/** By chance a name of one of the tags that count. */
function isTag(tag: unknown): boolean {
  return JSON.stringify(tag)?.match(/hold-processing|abandon/) != null;
}
