import fc from 'fast-check';
import { Decimal128, Double, Int32, Long, ObjectId } from 'mongodb';

export interface Mutation {
  /** Dotted. */
  path: string;
  /** `REMOVED` takes the field away. */
  value: unknown;
}

export const REMOVED = Symbol('removed');

const BEGAN = Date.UTC(2026, 2, 1);

/** A run as the DAQ and an event builder leave it, with every field that anybody reads. */
export function wellFormed(live: string): Record<string, unknown> {
  return {
    number: 4711,
    mode: 'tpc_bkg',
    detectors: ['tpc', 'neutron_veto'],
    start: new Date(BEGAN),
    end: new Date(BEGAN + 3_600_000),
    status: null,
    user: 'operator',
    tags: [{ name: 'messy', user: 'daq', date: new Date(BEGAN) }],
    rate: { tpc: { avg: 70, max: 80 }, neutron_veto: { avg: 3, max: 4.5 } },
    bootstrax: {
      state: 'failed',
      host: 'eb3.xenon.local',
      time: new Date(BEGAN),
      started_processing: new Date(BEGAN),
      reason: 'eb3.xenon.local:\nit broke\n',
      n_failures: 2,
      next_retry: new Date(BEGAN),
      outcome: 'failed',
      uncounted: 0,
      holders_lost: 0,
      plan: { targets: ['event_info'], dropped: [], cores: 4 },
      progress: {
        phase: 'processing',
        chunks: 1,
        covered_seconds: 5,
        bytes: 9,
        memory_bytes: 9,
        t: 3,
      },
    },
    data: [
      { type: 'live', host: 'daq', location: live },
      { type: 'raw_records', host: 'eb3.xenon.local', location: '/data/x', meta: { lineage: {} } },
    ],
    daq_config: {
      processing_threads: { reader0_reader_0: 2, reader1_reader_0: 1 },
      compressor: 'lz4',
      strax_fragment_payload_bytes: 220,
      strax_chunk_length: 5,
      strax_chunk_overlap: 0.5,
    },
  };
}

/** A run without them, or with null in their place, is still a run (reference, sections 1.3 to 1.5). */
export const OPTIONAL: readonly string[] = [
  ...['mode', 'end', 'status', 'user', 'tags', 'tags.0.user', 'tags.0.name', 'rate', 'rate.tpc'],
  ...['rate.tpc.max', 'rate.tpc.avg', 'bootstrax', 'bootstrax.state', 'bootstrax.host'],
  ...['bootstrax.time', 'bootstrax.reason', 'bootstrax.n_failures', 'bootstrax.next_retry'],
  ...['bootstrax.started_processing', 'bootstrax.outcome', 'bootstrax.uncounted', 'bootstrax.plan'],
  ...['bootstrax.holders_lost', 'bootstrax.attempt', 'bootstrax.progress', 'data.1.meta'],
  ...['data.0.host', 'data.1.host', 'data.1.location', 'data.1.type', 'daq_config.compressor'],
  ...['daq_config.strax_fragment_payload_bytes', 'daq_config.strax_chunk_length'],
  ...['daq_config.strax_chunk_overlap'],
];

/** Without any of these nobody can process a run. */
export const REQUIRED: readonly string[] = [
  ...['number', 'start', 'detectors', 'data', 'data.0', 'data.0.location', 'daq_config'],
  ...['daq_config.processing_threads'],
];

const PATHS = [
  ...['daq_config.processing_threads.reader0_reader_0'],
  ...OPTIONAL,
  ...REQUIRED,
  ...['data.0.type', 'tags.0', 'data.1', 'detectors.0', 'detectors.1', 'bootstrax.malformed'],
  ...['__proto__', 'constructor', 'bootstrax.__proto__', 'data.0.__proto__', 'toString'],
  ...['daq_config.processing_threads.__proto__', 'rate.__proto__', 'rate.constructor'],
];

const HOSTILE_TEXT = [
  ...['', ' ', '\0', '\n', '../..', '../../etc/passwd', '/', '//', '/.', '/..', '/live/../../etc'],
  ...[
    '/live/..',
    'live',
    '/live\0/etc',
    '/live\n/x',
    '/live/%2e%2e/etc',
    '\u202e/live',
    '/live/\u2026',
  ],
  ...[
    '\ud800',
    '/Live',
    '/live ',
    '\u001b[2J',
    '$where',
    '__proto__',
    'constructor',
    'hold-processing',
  ],
  ...['tpc_ambe', 'kr83m'.repeat(500), 'nVeto_LASER_calibration', 'abandon', 'done', 'busy'],
  ...[
    'x'.repeat(100_000),
    '/' + 'a/'.repeat(20_000),
    '/live/' + '../'.repeat(50) + 'etc',
    'NaN',
    '12',
  ],
];

const HOSTILE_VALUES: readonly unknown[] = [
  ...[REMOVED, null, undefined, true, false, 0, -0, 1, -1, 0.5, 1e300, -1e300, NaN, Infinity],
  ...[-Infinity, Number.MAX_SAFE_INTEGER, 2 ** 53, 2 ** 31, 5e-324, 12n, -(2n ** 70n)],
  ...[Long.MAX_VALUE, Long.MIN_VALUE, Long.fromNumber(7), new Int32(3), new Double(2.5)],
  ...[new Double(NaN), Decimal128.fromString('1e6000'), Decimal128.fromString('NaN')],
  ...[new Date(NaN), new Date(8.64e15), new Date(-8.64e15), new Date(0), new ObjectId(), /x/],
  ...[[], {}, [null], [[]], [[[[[]]]]], { name: 5 }, Object.create(null) as unknown, new Map()],
  ...[Symbol('s'), () => 1, { _bsontype: 'Long' }, { _bsontype: 'Int32', value: 'x' }],
  ...[{ _bsontype: 'Long', low: NaN, high: 1e9 }, new Array(1000).fill('tpc'), 'tpc'],
  { length: 1e9 },
  { toString: null },
  JSON.parse('{"__proto__": {"state": "done"}, "constructor": {"prototype": 1}}'),
  nested(2000),
  cyclic(),
];

// They are shared by all documents: what is changed in one must not show in the next.
for (const value of HOSTILE_VALUES) freeze(value);

function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
  if (ArrayBuffer.isView(value)) return;
  Object.freeze(value);
  for (const inner of Object.values(value)) freeze(inner);
}

/** So many levels of lists and objects in one another. */
export function nested(depth: number): unknown {
  let value: unknown = 'deep';
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { value };
  return value;
}

function cyclic(): unknown {
  const value: Record<string, unknown> = { type: 'live', name: 'abandon', max: 5 };
  value['self'] = value;
  value['list'] = [value, value];
  return value;
}

const value: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...HOSTILE_VALUES) },
  { weight: 4, arbitrary: fc.constantFrom<unknown>(...HOSTILE_TEXT) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) },
  { weight: 1, arbitrary: fc.double() },
  { weight: 1, arbitrary: fc.date({ noInvalidDate: false }) },
  { weight: 1, arbitrary: fc.object({ maxDepth: 3, maxKeys: 3, withBoxedValues: true }) },
);

/** One to four fields made into something else. */
export const mutations: fc.Arbitrary<Mutation[]> = fc.array(
  fc.record({ path: fc.constantFrom(...PATHS), value }),
  { minLength: 1, maxLength: 4 },
);

/** Any optional fields taken away, or null. */
export const omissions: fc.Arbitrary<Mutation[]> = fc.array(
  fc.record({
    path: fc.constantFrom(...OPTIONAL),
    value: fc.constantFrom<unknown>(REMOVED, null, undefined),
  }),
  { maxLength: 12 },
);

/** Whatever a driver could possibly hand over, nothing of it a run. */
export const anything: fc.Arbitrary<unknown> = fc.oneof(
  value,
  fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true, maxDepth: 2 }),
);

/** Applies them one after the other to a document of its own. */
export function mutated(document: Record<string, unknown>, changes: readonly Mutation[]) {
  for (const { path, value: put } of changes) {
    const keys = path.split('.');
    const last = keys.pop() as string;
    let at: unknown = document;
    for (const key of keys) at = own(at, key);
    if (typeof at !== 'object' || at === null || Object.isFrozen(at)) continue;
    if (put === REMOVED) {
      if (Array.isArray(at)) at.splice(Number(last), 1);
      else Reflect.deleteProperty(at, last);
    } else {
      // As a parser would: an own field, also if it is named like part of the prototype.
      Object.defineProperty(at, last, {
        value: put,
        enumerable: true,
        writable: true,
        configurable: true,
      });
    }
  }
  return document;
}

function own(at: unknown, key: string): unknown {
  if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined;
  return (at as Record<string, unknown>)[key];
}
