import type { Lab } from '../support/lab.ts';

/** What a page must show as these very characters, and never carry out. */
export const EVIL = `<img src=x onerror="document.title='taken'"><script>alert(1)</script>`;

const HOSTS = { good: 'alpha.test.local', bad: 'beta.test.local', evil: `gamma${EVIL}` };
/** Of the run that says `EVIL` wherever a person or a program can say something. */
export const EVIL_ATTEMPT = 'ef'.repeat(12);
const FAILED_ATTEMPT = 'ab'.repeat(12);

/** A run in every condition, by the name of the condition; `evil` is given up. */
export const NUMBERS = {
  ...{ done: 101, debt: 102, retrying: 103, requeued: 104, given_up: 105, set_aside: 106 },
  ...{ held: 107, abandoned: 108, busy: 109, considering: 110, new: 111, evil: 112 },
} as const;

/** Fills the databases with runs and hosts in every condition, as programs leave them. */
export async function insertFleet(lab: Lab): Promise<void> {
  const nowMs = Date.now();
  const ago = (seconds: number) => new Date(nowMs - seconds * 1000);
  const plan = { targets: ['event_info', 'peak_basics'], dropped: [], rung: 0 };
  const run = (number: number, bootstrax: object, more: object = {}) => ({
    ...{ number, start: ago((113 - number) * 300), end: ago((113 - number) * 300 - 240) },
    ...{ mode: 'tpc_radon', detectors: ['tpc', 'muon_veto'], tags: [], source: 'radon' },
    ...{ rate: { tpc: { avg: 30, max: 60 } }, user: 'daq', comments: [] },
    daq_config: {
      ...{ processing_threads: { r: 1 }, strax_chunk_length: 5, strax_chunk_overlap: 0.5 },
      ...{ compressor: 'lz4', strax_fragment_payload_bytes: 220 },
    },
    data: [
      { type: 'live', host: 'daq', location: `/live/${number}` },
      { type: 'peak_basics', host: HOSTS.good, location: `/out/${number}-peak_basics` },
    ],
    bootstrax: { host: HOSTS.good, time: ago(20), plan, ...bootstrax },
    ...more,
  });
  const failed = (n_failures: number, more: object) => ({
    ...{ state: 'failed', n_failures, outcome: 'failed', next_retry: ago(-600) },
    reason: `${HOSTS.good}:\nRuntimeError: event_info found no events\nTraceback`,
    ...more,
  });
  const tag = (name: string, user = 'anna') => ({ name, user, date: ago(600) });
  const progress = {
    ...{ phase: 'processing', chunks: 3, covered_seconds: 15, bytes: 4e7, mb_per_s: 20 },
    ...{ memory_bytes: 6e8, t: 20 },
  };
  await lab.insertRuns(
    ...Array.from({ length: 60 }, (_, i) => run(i + 1, { state: 'done', outcome: 'done' })),
    run(NUMBERS.done, { state: 'done', outcome: 'done' }),
    run(NUMBERS.debt, { state: 'done', outcome: 'done', plan: { ...plan, dropped: ['veto'] } }),
    run(NUMBERS.retrying, failed(2, {})),
    run(NUMBERS.requeued, failed(0, { outcome: 'requeued', uncounted: 1 })),
    run(NUMBERS.given_up, failed(10, { outcome: 'given_up', last_attempt: FAILED_ATTEMPT })),
    run(NUMBERS.set_aside, failed(0, { outcome: 'set_aside' }), { detectors: 'none' }),
    run(NUMBERS.held, {}, { tags: [tag('hold-processing'), tag('_sciencerun1', 'bob')] }),
    run(NUMBERS.abandoned, { state: 'abandoned', outcome: 'abandoned' }),
    run(NUMBERS.busy, { state: 'busy', time: new Date(), attempt: 'cd'.repeat(12), progress }),
    run(NUMBERS.considering, { state: 'considering', time: new Date(), attempt: '12'.repeat(12) }),
    run(NUMBERS.new, {}, { start: ago(40), end: null, bootstrax: null }),
    run(
      NUMBERS.evil,
      failed(10, {
        ...{ outcome: 'given_up', host: HOSTS.evil, last_attempt: EVIL_ATTEMPT },
        ...{ reason: `${HOSTS.good}:\n${EVIL}\nTraceback`, plan: { ...plan, dropped: [EVIL] } },
      }),
      {
        ...{ mode: EVIL, detectors: ['tpc', EVIL], source: EVIL, user: EVIL },
        tags: [tag(EVIL, EVIL)],
        comments: [{ user: EVIL, date: ago(300), comment: EVIL }],
        data: [
          { type: 'live', host: 'daq', location: `/${EVIL}` },
          { type: EVIL, host: EVIL, location: `/${EVIL}` },
        ],
        deleted_data: [{ type: EVIL, host: EVIL, at: ago(60), by: EVIL }],
      },
    ),
  );
  const attempt = (_id: string, number: number, say: string) => ({
    ...{ _id, run: number, host: HOSTS.good, failures: 9, started: ago(900), ended: ago(870) },
    plan: {
      ...{ targets: ['peak_basics', say], postProcessing: [], dropped: [say], cores: 2 },
      ...{ maxMessages: 4, timeoutSeconds: 60, reasons: [say] },
    },
    result: {
      ...{ outcome: 'given_up', counted: true, reason: say, fingerprint: say, plugin: say },
      ...{ cause: 'strax_error', traceback: `Traceback\n${say}`, seconds: 30 },
      ...{ versions: { strax: say }, peakMemoryBytes: 5e8, bytes: 1e6 },
    },
  });
  await lab.attempts.insertMany([
    attempt(FAILED_ATTEMPT, NUMBERS.given_up, 'event_info found no events'),
    attempt(EVIL_ATTEMPT, NUMBERS.evil, EVIL),
  ] as never);
  const host = (name: string, more: object) => ({
    ...{ host: name, state: 'busy', time: new Date(), role: 'primary', slots: 1, pid: 1 },
    ...{ accepting: false, runs: [], thinking: 'waiting for runs', worker: 'warm', ...more },
  });
  await lab.runsDatabase
    .collection('bootstrax')
    .insertMany([
      host(HOSTS.good, { state: 'idle', accepting: true, runs: [NUMBERS.busy] }),
      host(HOSTS.bad, { why_not: 'drained by anna: new disk', why_not_kind: 'drained' }),
      host(HOSTS.evil, { why_not: EVIL, why_not_kind: 'quarantine', thinking: EVIL, worker: EVIL }),
      host('delta.test.local', { time: ago(4000), runs: [55] }),
    ]);
  const sign = (name: string, i: number) => ({
    ...{ host: name, time: ago(i * 9), cpu_percent: 40 + (i % 7), memory_percent: 50 },
    ...{ swap_percent: 0, disk_used: 70, cores: 2, targets: ['peak_basics'] },
  });
  await lab.client
    .db(lab.daqDb)
    .collection('eb_monitor')
    .insertMany(
      [HOSTS.good, HOSTS.bad, HOSTS.evil].flatMap((name) =>
        Array.from({ length: 20 }, (_, i) => sign(name, i)),
      ),
    );
}
