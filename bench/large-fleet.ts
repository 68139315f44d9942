import type { Db } from 'mongodb';

/** How large a history a benchmark stands on. */
export interface FleetSize {
  runs: number;
  hosts: number;
}

const MINUTE_MS = 60_000;
/** Runs follow each other so closely that 100,000 of them are a year. */
const RUN_MS = 5 * MINUTE_MS;
const SIGN_MS = 9000;
/** Heartbeats of this time, which is less than the collection keeps. */
const SIGN_MINUTES = 30;
/** The newest runs have a history of attempts. */
const WITH_ATTEMPTS = 10_000;
const BATCH = 1000;

const MODES = [
  'tpc_bkg',
  'tpc_bkg',
  'tpc_bkg',
  'tpc_kr83m',
  'tpc_rn220',
  'tpc_noise',
  'nVeto_noise',
];
const TARGETS = ['event_info', 'peak_basics', 'online_peak_monitor', 'raw_records'];
/** One run in this number has the condition. */
const ONE_IN = { debt: 401, givenUp: 701, abandoned: 83, held: 5003, tagged: 10, rareTag: 20_011 };

/** The name of the n-th host. */
export const hostName = (n: number): string => `eb${n}.bench.local`;

/**
 * Fills the databases with runs that end now, hosts that are alive, the heartbeats of the last half hour
 * and a month of attempts: what a dashboard of some years finds.
 */
export async function fillDatabases(runsDb: Db, daqDb: Db, size: FleetSize): Promise<void> {
  const now = Date.now();
  const insert = async (db: Db, name: string, count: number, make: (i: number) => object) => {
    for (let from = 0; from < count; from += BATCH) {
      const batch = Array.from({ length: Math.min(BATCH, count - from) }, (_, i) => make(from + i));
      await db.collection(name).insertMany(batch);
    }
  };
  await insert(runsDb, 'runs', size.runs, (i) => runOf(i + 1, size, now));
  const attempts = Math.min(WITH_ATTEMPTS, size.runs);
  await insert(runsDb, 'bootstrax_attempts', attempts, (i) =>
    attemptOf(size.runs - attempts + i + 1, size, now),
  );
  await insert(runsDb, 'bootstrax', size.hosts, (i) => hostOf(i, size, now));
  const signs = (SIGN_MINUTES * MINUTE_MS) / SIGN_MS;
  await insert(daqDb, 'eb_monitor', signs * size.hosts, (i) =>
    signOf(i % size.hosts, new Date(now - (signs - Math.floor(i / size.hosts)) * SIGN_MS)),
  );
}

const startOf = (number: number, { runs }: FleetSize, now: number): Date =>
  new Date(now - (runs - number + 1) * RUN_MS);

const isOneIn = (number: number, kind: keyof typeof ONE_IN): boolean =>
  (number * 7919) % ONE_IN[kind] === 0;

function runOf(number: number, size: FleetSize, now: number): object {
  const start = startOf(number, size, now);
  const host = hostName(number % size.hosts);
  const running = number === size.runs;
  const muon = number % 9 === 0;
  return {
    number,
    start,
    end: running ? null : new Date(start.getTime() + RUN_MS - 2000),
    mode: MODES[number % MODES.length],
    detectors: muon ? ['muon_veto'] : ['tpc', 'neutron_veto'],
    user: 'daq',
    status: running ? null : 'eb_finished_pre',
    source: 'none',
    comments:
      number % 50 === 0 ? [{ user: 'shifter', comment: 'nothing unusual', date: start }] : [],
    tags: tagsOf(number, start),
    rate: {
      tpc: { avg: 40 + (number % 30), max: 60 + (number % 30) },
      neutron_veto: { avg: 5, max: 7 },
    },
    daq_config: {
      processing_threads: { reader0: 4, reader1: 4, reader2: 4, reader5: 2 },
      strax_chunk_length: 5,
      strax_chunk_overlap: 0.5,
      strax_fragment_payload_bytes: 220,
      compressor: 'lz4',
      strax_output_path: '/live_data/xenonnt',
      registers: Array.from({ length: 12 }, (_, board) => ({ reg: '8080', val: '310000', board })),
    },
    data: [
      { type: 'live', host: 'daq', location: `/live_data/xenonnt/${number}` },
      ...TARGETS.map((type) => dataEntry(type, number, host)),
    ],
    bootstrax: stateOf(number, host, size, new Date(start.getTime() + RUN_MS + 20_000)),
  };
}

function tagsOf(number: number, date: Date): object[] {
  const names = [
    ...(isOneIn(number, 'tagged') ? ['_sciencerun1'] : []),
    ...(isOneIn(number, 'rareTag') ? ['earthquake'] : []),
    ...(isOneIn(number, 'held') ? ['hold-processing'] : []),
  ];
  return names.map((name) => ({ name, user: 'shifter', date }));
}

function dataEntry(type: string, number: number, host: string): object {
  return {
    ...{ type, host, protocol: 'FileSytemBackend', location: `/data/${number}-${type}-abcdefghij` },
    meta: { lineage: { [type]: ['Plugin', '1.2.3', { baseline_samples: 40, threshold: 15 }] } },
  };
}

function stateOf(number: number, host: string, size: FleetSize, time: Date): object {
  const plan = { ...{ targets: TARGETS, post_processing: [], dropped: [] }, cores: 4, rung: 0 };
  const concluded = { host, time, n_failures: 0, plan, last_attempt: attemptId(number) };
  const failed = {
    ...concluded,
    state: 'failed',
    reason: `${host}:\nValueError: not so\nTraceback`,
  };
  // The newest: one on each fifth host, some waiting, some that failed a moment ago.
  const age = size.runs - number;
  if (age < size.hosts / 5) {
    return { ...concluded, state: 'busy', attempt: attemptId(number), time: new Date() };
  }
  if (age < size.hosts / 5 + 10) return { state: null };
  if (age < size.hosts / 5 + 15) {
    const retry = new Date(Date.now() + 3_600_000);
    return { ...failed, n_failures: 3, outcome: 'failed', next_retry: retry };
  }
  if (isOneIn(number, 'held')) return { state: null };
  if (isOneIn(number, 'givenUp')) {
    return { ...failed, n_failures: 10, outcome: 'given_up', next_retry: time };
  }
  if (isOneIn(number, 'abandoned'))
    return { ...concluded, state: 'abandoned', outcome: 'abandoned' };
  const dropped = isOneIn(number, 'debt') ? ['event_info_double'] : [];
  return { ...concluded, state: 'done', outcome: 'done', plan: { ...plan, dropped } };
}

const attemptId = (number: number): string => number.toString(16).padStart(24, '0');

function attemptOf(number: number, size: FleetSize, now: number): object {
  const started = startOf(number, size, now);
  const failed = number % 20 === 0;
  return {
    _id: attemptId(number),
    ...{ run: number, host: hostName(number % size.hosts), mode: MODES[number % MODES.length] },
    ...{ failures: 0, ofDebt: false, plan: { targets: TARGETS, dropped: [], cores: 4 } },
    ...{ started, ended: new Date(started.getTime() + RUN_MS + 20_000) },
    result: {
      ...{
        outcome: failed ? 'failed' : 'done',
        counted: failed,
        reason: failed ? 'ValueError' : null,
      },
      ...{ fingerprint: failed ? `fingerprint${number % 7}` : null, seconds: 300, dropped: [] },
      ...{ cause: failed ? 'strax_error' : 'finished', traceback: failed ? 'Traceback ...' : null },
      versions: { strax: '2.2.0', straxen: '3.2.0' },
    },
  };
}

function hostOf(n: number, { runs, hosts }: FleetSize, now: number): object {
  const own = Array.from({ length: hosts / 5 }, (_, age) => runs - age).filter(
    (number) => number % hosts === n,
  );
  return {
    ...{ host: hostName(n), state: own.length > 0 ? 'busy' : 'idle', time: new Date(now) },
    ...{ pid: 1000 + n, role: 'primary', slots: 1, runs: own, accepting: own.length === 0 },
    ...{ why_not: null, worker: 'warm', worker_ready: true, thinking: 'waiting for a run' },
  };
}

/** A heartbeat. */
export function signOf(n: number, time: Date): object {
  return {
    ...{ host: hostName(n), time, state: 'idle', pid: 1000 + n, cores: 12, targets: TARGETS },
    ...{ cpu_percent: n % 100, memory_percent: 40, swap_percent: 0, disk_used: 50 + (n % 30) },
    ...{ production_mode: true, undying: true, thinking: 'waiting for a run' },
  };
}

/** The hosts live on: each writes a heartbeat every nine seconds, and the busy ones that they go on. */
export class LifeOfHosts {
  readonly #timers: NodeJS.Timeout[] = [];
  #turn = 0;

  readonly #daqDb: Db;
  readonly #runsDb: Db;
  readonly #size: FleetSize;

  constructor(daqDb: Db, runsDb: Db, size: FleetSize) {
    this.#daqDb = daqDb;
    this.#runsDb = runsDb;
    this.#size = size;
  }

  start(): void {
    const { runs, hosts } = this.#size;
    const next = () => this.#turn++ % hosts;
    const signs = setInterval(() => {
      const n = next();
      const time = new Date();
      void this.#daqDb.collection('eb_monitor').insertOne(signOf(n, time));
      void this.#runsDb
        .collection('bootstrax')
        .updateOne({ host: hostName(n) }, { $set: { time } });
    }, SIGN_MS / hosts);
    const busy = Math.max(1, Math.floor(hosts / 5));
    const progress = setInterval(() => {
      const number = runs - (this.#turn % busy);
      const covered = (this.#turn * 7) % 300;
      void this.#runsDb.collection('runs').updateOne(
        { number, 'bootstrax.state': 'busy' },
        {
          $set: {
            'bootstrax.time': new Date(),
            'bootstrax.progress': {
              ...{ phase: 'processing', chunks: covered / 5, covered_seconds: covered, t: covered },
              ...{ bytes: covered * 4e7, memory_bytes: 3e9, mb_per_s: 40 },
            },
          },
        },
      );
    }, 10_000 / busy);
    this.#timers.push(signs, progress);
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }
}
