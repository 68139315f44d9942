import type { Document } from 'mongodb';

/** One question to both programs: what would this host do with this run? */
export interface Case {
  host: string;
  document: Document;
  /** What the DAQ's status says of the run's data rate, MB/s. */
  monitorRate: number | null;
  hostTargets: Document | null;
}

const MODES = [
  ...['tpc_bkg', 'bkg_linked', 'tpc_kr83m', 'kr83m_linked', 'pmtgain', 'tpc_pmtap', 'exttrig'],
  ...['nVeto_LASER_calibration', 'nveto_laser_calibration', 'noise', 'mv_diffuserballs'],
  ...['mv_fibres', 'mv_darkrate', 'ambe_linked', 'tpc_ambe_top', 'TPC_KR83M', ''],
  // More than one rule fits: the first counts.
  ...[
    'noise_kr83m',
    'kr83m_ambe',
    'pmtap_exttrig',
    'pmtgain_nVeto_LASER_calibration',
    'ambe_noise',
  ],
  null,
  undefined,
];

const DETECTORS = [
  ...[['tpc'], ['neutron_veto'], ['muon_veto'], ['tpc', 'neutron_veto'], ['muon_veto', 'tpc']],
  ...[['neutron_veto', 'muon_veto'], ['tpc', 'neutron_veto', 'muon_veto'], [], ['cryostat']],
];

const FAILURES = [null, undefined, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12];

export const HOSTS = [0, 1, 2, 3, 4, 5].map((i) => `eb${i}.xenon.local`);

/** At, between and beyond the points of the reference's tables, and where decisions change. */
const RATES = [
  ...[0.001, 0.5, 12.34, 64.999, 65, 69.9, 70, 70.1, 80, 89.99, 90, 100.5, 110, 130, 150, 180],
  ...[219.9, 220, 289.5, 290, 325, 327.2, 327.3, 360, 375, 390, 400, 419.99, 420, 460, 500, 525],
  ...[549.9, 550, 550.1, 600, 1234.5, 20_000],
];

const TAGS = [undefined, [], [{ name: 'messy', user: 'daq' }], [{ name: 'hold-processing' }]];

const CHUNKS: readonly (readonly [number, number])[] = [
  [5, 0.5],
  [2.5, 0.25],
  [10, 1],
  [5, 0],
];

/** As operators have written it (reference, section 1.9): one host with targets of its own. */
export const HOST_TARGETS: Document = {
  name: 'bootstrax_config',
  ambe_modes: { eb0: 'raw', eb3: 'few', eb4: 'default', eb5: 'vetoes' },
  modes_definitions: {
    raw: { targets: ['raw_records'], post_process: ['raw_records'] },
    few: { targets: ['peak_basics', 'events_nv'], post_process: ['veto_intervals', 'events_mv'] },
    vetoes: { targets: ['events_nv', 'events_mv'], post_process: ['raw_records'] },
  },
};

/** Divides nothing that has to do with the grid, so that each value meets each other one. */
const STRIDE = 104_729;

function pick<T>(values: readonly T[], index: number): T {
  return values[index % values.length] as T;
}

/** Well-formed runs: `count` points spread evenly over all combinations. */
export function* grid(count: number): Generator<Case> {
  const sizes = [MODES, DETECTORS, FAILURES, HOSTS, RATES].map(({ length }) => length);
  const total = sizes.reduce((product, size) => product * size, 1);
  for (let i = 0; i < count; i++) {
    let rest = (i * STRIDE) % total;
    const [mode = 0, detectors = 0, failures = 0, host = 0, rate = 0] = sizes.map((size) => {
      const index = rest % size;
      rest = Math.floor(rest / size);
      return index;
    });
    const megabytes = pick(RATES, rate);
    // The rate stands in the document once the run has ended; before, only the DAQ's status has it.
    const known = i % 5;
    const [length, overlap] = pick(CHUNKS, Math.floor(i / 3));
    yield {
      host: pick(HOSTS, host),
      monitorRate: known === 3 ? pick([0.4, 80, 333, 640], i >> 3) : null,
      hostTargets: HOST_TARGETS,
      document: without({
        number: 50_000 + i,
        mode: pick(MODES, mode),
        detectors: pick(DETECTORS, detectors),
        start: new Date(Date.UTC(2025, 0, 1) + i * 61_000),
        end: known < 3 ? new Date(Date.UTC(2025, 0, 1) + i * 61_000 + 3_600_000) : null,
        bootstrax: without({
          state: 'considering',
          host: pick(HOSTS, host),
          n_failures: pick(FAILURES, failures),
        }),
        rate: known < 3 ? rateOf(megabytes, known) : undefined,
        tags: pick(TAGS, i >> 2),
        data: [{ type: 'live', host: 'daq', location: '/live_data/xenonnt' }],
        daq_config: {
          processing_threads: { reader0_reader_0: 4, reader1_reader_0: 2 },
          strax_chunk_length: length,
          strax_chunk_overlap: overlap,
          strax_fragment_payload_bytes: pick([220, 221, 180], i),
          compressor: pick(['lz4', 'zstd', 'blosc'], i >> 1),
        },
      }),
    };
  }
}

/** In one detector, or shared by three in a way that adds up without rounding. */
function rateOf(megabytes: number, known: number): Document {
  if (known > 0) return { tpc: { avg: megabytes / 2, max: megabytes } };
  return {
    tpc: { avg: 1, max: megabytes / 2 },
    neutron_veto: { avg: 1, max: megabytes / 4 },
    muon_veto: { avg: 1, max: megabytes / 4 },
  };
}

function ambeTargets(targets: unknown, post_process: unknown): Document {
  return { ambe_modes: { eb3: 'some' }, modes_definitions: { some: { targets, post_process } } };
}

/** Each of these is a change to a document that is otherwise well. */
export const STRANGE: readonly Document[] = [
  ...[{ number: '12' }, { number: null }, { number: 12.5 }, { number: -1 }],
  ...[{ start: null }, { start: '2026-01-01' }, { start: 1_700_000_000 }],
  ...[{ end: 'soon' }, { end: undefined }, { status: 5 }, { tags: 'messy' }, { tags: [null] }],
  ...[{ mode: 5 }, { mode: ['tpc_bkg'] }, { mode: { name: 'pmtgain' } }],
  ...[{ detectors: null }, { detectors: undefined }, { detectors: 'tpc' }, { detectors: [5] }],
  ...[{ data: undefined }, { data: null }, { data: [] }, { data: [{ host: 'daq' }] }],
  { data: [{ type: 'raw_records', host: 'eb0.xenon.local', location: '/data/x' }] },
  {
    data: [
      { type: 'raw_records', host: 'eb0.xenon.local', location: '/data/x' },
      { type: 'live', host: 'daq', location: '/live_data/xenonnt' },
    ],
  },
  ...[null, 5, 'live_data', '/live_data/../etc'].map((location) => ({
    data: [{ type: 'live', host: 'daq', location }],
  })),
  ...[{ daq_config: undefined }, { daq_config: null }, { daq_config: 'all' }],
  ...[undefined, null, {}, [], 'two', { r0: 0 }, { r0: 'two' }, { '../r0': 1 }].map((threads) => ({
    daq_config: { processing_threads: threads, strax_chunk_length: 5, strax_chunk_overlap: 0.5 },
  })),
  { daq_config: { processing_threads: { r0: 2 } } },
  ...['5', -5, NaN, null].map((length) => ({
    daq_config: {
      processing_threads: { r0: 2 },
      strax_chunk_length: length,
      strax_chunk_overlap: 0.5,
    },
  })),
  {
    daq_config: {
      processing_threads: { r0: 2 },
      strax_chunk_length: 5,
      strax_chunk_overlap: 0.5,
      strax_fragment_payload_bytes: 'many',
    },
  },
  ...[{ rate: null }, { rate: 5 }, { rate: {} }, { rate: { tpc: {} } }, { rate: { tpc: null } }],
  ...[{ rate: { tpc: { max: '80' } } }, { rate: { tpc: { max: -3 } } }],
  ...[{ rate: { tpc: { max: 0 } } }, { rate: { tpc: { max: NaN } } }],
  ...['1', -1, 1.5].map((failures) => ({
    bootstrax: { state: 'considering', n_failures: failures },
  })),
  { mode: 'ambe_linked', hostTargets: null },
  { mode: 'ambe_linked', hostTargets: { name: 'bootstrax_config' } },
  { mode: 'ambe_linked', hostTargets: { ambe_modes: { eb3: 'gone' }, modes_definitions: {} } },
  {
    mode: 'ambe_linked',
    hostTargets: {
      ambe_modes: { eb3: 'twice' },
      modes_definitions: {
        twice: { targets: ['event_info', 'event_info'], post_process: ['raw_records'] },
      },
    },
  },
  ...['raw_records', ['peak_basics'], []].flatMap((types) => [
    { mode: 'ambe_linked', hostTargets: ambeTargets(types, 'raw_records') },
    { mode: 'ambe_linked', hostTargets: ambeTargets('peak_basics', types) },
  ]),
  { host: 'daq.lab.example' },
  { host: 'eb9.xenon.local' },
];

/** Documents of which at least one program may say that it cannot use them. */
export function strange(): Case[] {
  const [base] = [...grid(1)];
  if (base === undefined) throw new Error('the grid is empty');
  return STRANGE.flatMap(({ host, hostTargets, ...changes }, i) =>
    [0, 1].map((failures) => ({
      ...base,
      host: typeof host === 'string' ? host : 'eb3.xenon.local',
      hostTargets: hostTargets === undefined ? HOST_TARGETS : (hostTargets as Document | null),
      document: without({
        ...base.document,
        mode: 'tpc_bkg',
        number: 90_000 + 2 * i + failures,
        bootstrax: { state: 'considering', n_failures: failures },
        rate: { tpc: { avg: 50, max: 100 } },
        ...changes,
      }),
    })),
  );
}

function without(document: Document): Document {
  return Object.fromEntries(Object.entries(document).filter(([, value]) => value !== undefined));
}
