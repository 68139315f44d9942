import fc from 'fast-check';
import { BSON } from 'mongodb';
import { describe, expect, it } from 'vitest';

import { canTransition, parseRun, RUN_STATES, TRANSITIONS } from '../../../src/run/run.pure.ts';
import { at, parsed, run, runDocument } from './documents.ts';

function problems(raw: unknown): { field: string; problem: string }[] {
  const result = parseRun(raw);
  return result.kind === 'malformed' ? [...result.malformed.problems] : [];
}

describe('a complete run document', () => {
  it('is read with all that the decisions need', () => {
    const document = runDocument({
      number: 52000,
      mode: 'tpc_kr83m',
      detectors: ['tpc', 'neutron_veto'],
      end: at(-0.5),
      status: 'needs_upload',
      tags: [{ name: 'messy', user: 'x', date: at(0) }, { name: '_messy' }],
      rate: { tpc: { avg: 20, max: 55.5 }, neutron_veto: { avg: 1, max: 2 } },
      bootstrax: {
        state: 'failed',
        host: 'eb3.xenon.local',
        time: at(-0.2),
        started_processing: at(-0.9),
        reason: 'eb3:\nwhy\n',
        n_failures: 3,
        next_retry: at(1),
        attempt: '0123456789abcdef01234567',
        outcome: 'requeued',
        uncounted: 2,
        holders_lost: 1,
      },
      data: [
        { type: 'raw_records', host: 'eb3.xenon.local', location: '/data/x' },
        { type: 'live', host: 'daq', location: '/live_data/xenonnt' },
      ],
    });
    expect(parseRun(document)).toEqual({
      kind: 'run',
      run: {
        number: 52000,
        runId: '052000',
        mode: 'tpc_kr83m',
        detectors: ['tpc', 'neutron_veto'],
        start: at(-1),
        end: at(-0.5),
        status: 'needs_upload',
        tags: ['messy', '_messy'],
        bootstrax: {
          state: 'failed',
          host: 'eb3.xenon.local',
          time: at(-0.2),
          startedProcessing: at(-0.9),
          reason: 'eb3:\nwhy\n',
          failures: 3,
          nextRetry: at(1),
          attempt: '0123456789abcdef01234567',
          outcome: 'requeued',
          uncounted: 2,
          holdersLost: 1,
        },
        data: [
          { type: 'raw_records', host: 'eb3.xenon.local', location: '/data/x' },
          { type: 'live', host: 'daq', location: '/live_data/xenonnt' },
        ],
        liveLocation: '/live_data/xenonnt',
        daq: {
          threads: { reader0_reader_0: 2, reader1_reader_0: 1 },
          chunkSeconds: 5,
          overlapSeconds: 0.5,
          fragmentBytes: 220,
          compressor: 'lz4',
          defaulted: [],
        },
        rateMBps: 57.5,
        oddities: [],
      },
    });
  });

  it('has the defaults of the reference where optional fields are absent', () => {
    const minimal = run({
      bootstrax: undefined,
      mode: undefined,
      end: undefined,
      daq_config: { processing_threads: { r: 1 } },
      data: [{ type: 'live', location: '/live_data/xenonnt' }],
    });
    expect(minimal).toMatchObject({
      runId: '004711',
      mode: '',
      end: null,
      status: null,
      tags: [],
      rateMBps: null,
      data: [{ type: 'live', host: '', location: '/live_data/xenonnt' }],
      daq: { chunkSeconds: 5, overlapSeconds: 0.5, fragmentBytes: 220, compressor: 'lz4' },
      bootstrax: {
        state: null,
        host: null,
        time: null,
        startedProcessing: null,
        reason: null,
        failures: 0,
        nextRetry: null,
        attempt: null,
        outcome: null,
        uncounted: 0,
      },
    });
  });

  it('is the same when numbers and dates come wrapped by the driver', () => {
    const plain = runDocument({
      rate: { tpc: { max: 55.5 } },
      bootstrax: { state: 'failed', n_failures: 2, next_retry: at(2) },
    });
    const text = BSON.EJSON.stringify(plain, { relaxed: false });
    expect(parseRun(BSON.EJSON.parse(text, { relaxed: false }))).toEqual(parseRun(plain));
    expect(parseRun(BSON.EJSON.parse(text))).toEqual(parseRun(plain));
  });

  it.each([
    ['Int32', new BSON.Int32(7), 7],
    ['Double', new BSON.Double(7), 7],
    ['Long', BSON.Long.fromNumber(2 ** 33 + 5), 2 ** 33 + 5],
    ['bigint', 12n, 12],
    ['zero', 0, 0],
    ['plain', 1e6, 1_000_000],
  ])('takes %s as a number', (_, value, expected) => {
    expect(run({ number: value }).number).toBe(expected);
  });

  it('pads the run number to six digits and not more', () => {
    expect(run({ number: 7 }).runId).toBe('000007');
    expect(run({ number: 1234567 }).runId).toBe('1234567');
  });

  it('may have lost its live data once it was processed', () => {
    const data = [{ type: 'raw_records', host: 'eb3', location: '/data/x' }];
    const bootstrax = { state: 'failed', n_failures: 1, started_processing: at(-0.5) };
    expect(run({ data, bootstrax }).liveLocation).toBeNull();
    expect(run({ data, bootstrax: { state: 'done' } }).liveLocation).toBeNull();
    expect(run({ data, bootstrax: { state: 'abandoned' } }).liveLocation).toBeNull();
  });

  it.each([
    ['no detectors with rates', {}, null],
    ['a detector without figures', { tpc: null, neutron_veto: {} }, null],
    ['zero', { tpc: { max: 0 } }, null],
    ['not a number', { tpc: { max: NaN } }, null],
    ['infinite', { tpc: { max: Infinity } }, null],
    ['a sum', { tpc: { max: 1.5 }, muon_veto: { max: 2 }, neutron_veto: {} }, 3.5],
  ])('has a rate: %s', (_, rate, expected) => {
    expect(run({ rate }).rateMBps).toBe(expected);
  });

  it('takes no notice of outcomes of a later release', () => {
    expect(
      run({ bootstrax: { state: 'failed', outcome: 'frobbed' } }).bootstrax.outcome,
    ).toBeNull();
  });
});

describe('a malformed run document names the field', () => {
  const live = { type: 'live', host: 'daq', location: '/live' };
  const daq = runDocument().daq_config as Record<string, unknown>;
  it.each<[field: string, problem: RegExp, changes: Record<string, unknown>]>([
    ['number', /is absent/, { number: undefined }],
    ['number', /non-negative integer/, { number: -1 }],
    ['number', /non-negative integer/, { number: 1.5 }],
    ['number', /non-negative integer/, { number: '12' }],
    ['number', /non-negative integer/, { number: NaN }],
    ['number', /non-negative integer/, { number: 2 ** 60 }],
    ['number', /non-negative integer/, { number: { _bsontype: 'Long' } }],
    ['number', /non-negative integer/, { number: { _bsontype: 'Int32', value: 'x' } }],
    ['number', /non-negative integer/, { number: { _bsontype: 'Long', low: 5 } }],
    ['number', /non-negative integer/, { number: { _bsontype: 'Long', low: '5', high: 0 } }],
    ['number', /non-negative integer/, { number: { _bsontype: 'Decimal128', value: 5 } }],
    ['number', /non-negative integer/, { number: { value: 5 } }],
    ['detectors', /is absent/, { detectors: null }],
    ['detectors', /not an array of strings/, { detectors: ' , ' }],
    ['detectors', /not an array of strings/, { detectors: [3] }],
    ['detectors', /not an array of strings/, { detectors: { tpc: true } }],
    ['start', /is absent/, { start: null }],
    ['start', /not a date/, { start: '2026-03-01' }],
    ['start', /not a date/, { start: new Date(NaN) }],
    ['data', /is absent/, { data: undefined }],
    ['data', /is empty/, { data: [] }],
    ['data', /not an array/, { data: { 0: live } }],
    ['data', /no element of type 'live'/, { data: [{ type: 'raw_records', location: '/x' }] }],
    ['data', /no element of type 'live'/, { data: [{ location: '/x' }] }],
    [
      'data',
      /no element of type 'live'/,
      { data: [{ type: 'raw_records' }], bootstrax: { state: 'failed', n_failures: 1 } },
    ],
    ['data.0.location', /is absent/, { data: [{ type: 'live', host: 'daq' }] }],
    ['data.0.location', /not a string/, { data: [{ ...live, location: 5 }] }],
    ['data.0.location', /not an absolute path/, { data: [{ ...live, location: 'live' }] }],
    ['data.0.location', /not an absolute path/, { data: [{ ...live, location: '' }] }],
    ['data.0.location', /NUL/, { data: [{ ...live, location: '/a\0b' }] }],
    ['data.0.location', /'\.\.'/, { data: [{ ...live, location: '/live/../etc' }] }],
    ['daq_config', /is absent/, { daq_config: undefined }],
    ['daq_config', /not an object/, { daq_config: [1] }],
    [
      'daq_config.processing_threads',
      /is absent/,
      { daq_config: { ...daq, processing_threads: undefined } },
    ],
    ['daq_config.processing_threads', /is empty/, { daq_config: { processing_threads: {} } }],
    [
      'daq_config.processing_threads',
      /not an object/,
      { daq_config: { processing_threads: [1, 2] } },
    ],
    [
      'daq_config.processing_threads.r',
      /not a positive integer/,
      { daq_config: { processing_threads: { r: 0 } } },
    ],
    [
      'daq_config.processing_threads.r',
      /not a positive integer/,
      { daq_config: { processing_threads: { a: 1, r: 'two' } } },
    ],
    [
      'daq_config.processing_threads',
      /file name/,
      { daq_config: { processing_threads: { '../r': 1 } } },
    ],
    [
      'daq_config.processing_threads',
      /file name/,
      { daq_config: { processing_threads: { '': 1 } } },
    ],
    [
      'daq_config.processing_threads',
      /file name/,
      { daq_config: { processing_threads: { 'a\0': 1 } } },
    ],
    [
      'daq_config.strax_chunk_length',
      /not a positive/,
      { daq_config: { ...daq, strax_chunk_length: 0 } },
    ],
    [
      'daq_config.strax_chunk_length',
      /not a positive/,
      { daq_config: { ...daq, strax_chunk_length: Infinity } },
    ],
    [
      'daq_config.strax_chunk_length',
      /not a positive/,
      { daq_config: { ...daq, strax_chunk_length: 'five' } },
    ],
    [
      'daq_config.strax_chunk_overlap',
      /not a non-negative/,
      { daq_config: { ...daq, strax_chunk_overlap: -1 } },
    ],
    [
      'daq_config.strax_chunk_overlap',
      /not a non-negative/,
      { daq_config: { ...daq, strax_chunk_overlap: NaN } },
    ],
    [
      'daq_config.strax_fragment_payload_bytes',
      /at least 2/,
      { daq_config: { ...daq, strax_fragment_payload_bytes: 1 } },
    ],
    [
      'daq_config.strax_fragment_payload_bytes',
      /at least 2/,
      { daq_config: { ...daq, strax_fragment_payload_bytes: 220.5 } },
    ],
    ['daq_config.compressor', /not a string/, { daq_config: { ...daq, compressor: 3 } }],
    ['bootstrax', /not an object/, { bootstrax: 'busy' }],
    ['bootstrax', /not an object/, { bootstrax: [] }],
    ['bootstrax.state', /not one of/, { bootstrax: { state: 'Busy' } }],
    ['bootstrax.state', /not one of/, { bootstrax: { state: 5 } }],
    ['bootstrax.next_retry', /date/, { bootstrax: { state: 'failed', next_retry: 'soon' } }],
  ])('%s %s', (field, problem, changes) => {
    const found = problems(runDocument(changes));
    expect(found.map((each) => each.field)).toEqual([field]);
    expect(found[0]?.problem).toMatch(problem);
  });

  it('all at once, with what could be read of it', () => {
    const result = parsed({
      number: 5,
      detectors: null,
      data: [],
      daq_config: {},
      tags: [{ name: 'hold-processing' }],
      bootstrax: { state: 'failed', n_failures: 2, next_retry: at(1) },
    });
    expect(result).toMatchObject({
      kind: 'malformed',
      malformed: {
        number: 5,
        tags: ['hold-processing'],
        bootstrax: { state: 'failed', failures: 2, nextRetry: at(1) },
      },
    });
    expect(
      result.kind === 'malformed' && result.malformed.problems.map(({ field }) => field),
    ).toEqual(['data', 'detectors', 'daq_config.processing_threads']);
  });

  it.each([[null], [undefined], [5], ['run'], [[]], [true]])('%j is no document', (raw) => {
    expect(problems(raw)).toEqual([{ field: '(document)', problem: 'is not an object' }]);
  });
});

describe('any document', () => {
  const hidden = [
    'user',
    'mode',
    'end',
    'source',
    'comments',
    'tags',
    'status',
    'rate',
    'bootstrax',
  ];
  const daqHidden = [
    'compressor',
    'strax_fragment_payload_bytes',
    'strax_chunk_length',
    'strax_chunk_overlap',
  ];
  const unknownKey = fc.string({ minLength: 1 }).map((name) => `x_${name}`);

  it('that only lacks optional fields or carries unknown ones is fine, 10,000 times', () => {
    fc.assert(
      fc.property(
        fc.subarray(hidden),
        fc.subarray(daqHidden),
        fc.dictionary(unknownKey, fc.anything(), { maxKeys: 3 }),
        fc.dictionary(unknownKey, fc.anything(), { maxKeys: 2 }),
        fc.boolean(),
        (...[absent, daqAbsent, unknown, unknownDeep, nulls]) => {
          const document = runDocument({
            tags: [{ name: 'messy', user: 'x', date: at(0) }],
            comments: [{ user: 'x', date: at(0), comment: 'fine' }],
            source: { type: 'none' },
            status: null,
            rate: { tpc: { avg: 1, max: 2 } },
            ...unknown,
          });
          const daq = { ...(document.daq_config as object), ...unknownDeep } as Record<
            string,
            unknown
          >;
          document.daq_config = daq;
          document.bootstrax = { state: null, ...unknownDeep };
          for (const name of daqAbsent) {
            if (nulls) daq[name] = null;
            else Reflect.deleteProperty(daq, name);
          }
          for (const name of absent) {
            if (nulls) document[name] = null;
            else Reflect.deleteProperty(document, name);
          }
          expect(problems(document)).toEqual([]);
        },
      ),
      { numRuns: 10_000 },
    );
  });

  it('never makes the parser throw', () => {
    fc.assert(
      fc.property(
        fc.anything({ withDate: true, withBigInt: true, withNullPrototype: true }),
        (raw) => {
          expect(['run', 'malformed']).toContain(parseRun(raw).kind);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('never makes the parser throw, whichever field is replaced by anything', () => {
    const keys = Object.keys(runDocument({ rate: null, tags: null, status: null }));
    fc.assert(
      fc.property(fc.constantFrom(...keys), fc.anything({ withDate: true }), (key, value) => {
        const result = parseRun(runDocument({ [key]: value }));
        if (result.kind === 'malformed') expect(result.malformed.problems).not.toEqual([]);
      }),
      { numRuns: 5000 },
    );
  });

  it('never makes the parser throw, even if reading it does', () => {
    const thrower = {
      get number(): number {
        throw new Error('no');
      },
    };
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(problems(thrower)).toEqual([{ field: '(document)', problem: 'cannot be read' }]);
    expect(problems(proxy)).toEqual([{ field: '(document)', problem: 'cannot be read' }]);
  });

  it('keeps a reader named like a property of all objects', () => {
    const threads = JSON.parse('{"__proto__": 2, "constructor": 1}') as unknown;
    const { daq } = run({ daq_config: { processing_threads: threads } });
    expect(Object.entries(daq.threads)).toEqual([
      ['__proto__', 2],
      ['constructor', 1],
    ]);
  });
});

describe('the transitions', () => {
  it('are the legal ones, each once', () => {
    const pairs = TRANSITIONS.map(({ from, to }) => `${from} ${to}`);
    expect(new Set(pairs).size).toBe(pairs.length);
    expect(pairs.sort()).toEqual(
      [
        'null considering',
        'failed considering',
        'considering considering',
        'considering busy',
        'busy busy',
        'busy considering',
        'busy done',
        'null failed',
        'considering failed',
        'busy failed',
        'done failed',
        'failed failed',
        'abandoned failed',
        'null abandoned',
        'considering abandoned',
        'busy abandoned',
        'done abandoned',
        'failed abandoned',
      ].sort(),
    );
    expect(TRANSITIONS.every(({ when }) => when.length > 10)).toBe(true);
  });

  it('say no to all others', () => {
    expect(canTransition(null, 'busy')).toBe(false);
    expect(canTransition('done', 'considering')).toBe(false);
    expect(canTransition('abandoned', 'considering')).toBe(false);
    expect(canTransition('considering', 'done')).toBe(false);
    expect(canTransition('considering', 'busy')).toBe(true);
    for (const from of [null, ...RUN_STATES]) {
      for (const to of RUN_STATES) {
        const listed = TRANSITIONS.some((each) => each.from === from && each.to === to);
        expect(canTransition(from, to)).toBe(listed);
      }
    }
  });
});
