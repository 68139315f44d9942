import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChangeStreamDocument, Document } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';

import type { SessionAnswer } from '../../../src/dashboard/access/session-api.ts';
import { ACTIONS } from '../../../src/features/actions/action-table.pure.ts';
import { DashboardProcess } from '../../support/dashboard.ts';
import { Lab, PACKAGE, until } from '../../support/lab.ts';
import { amount } from '../../support/tier.ts';

/** At what each kind of action is aimed. */
const TARGETS = Object.fromEntries(
  Object.entries(ACTIONS).map(([kind, { target }]) => [kind, target]),
);

/** Sends requests made from the API's own description: see fuzz/hooks.py. */
const FUZZER = join(PACKAGE, '.venv/fuzz/bin/schemathesis');
const HERE = join(import.meta.dirname, 'fuzz');
const REQUESTS = amount({ daily: 1500, nightly: 10_000 });
const RUNS = 200;
/** Of each route; those with few ways to ask end sooner. */
const REQUESTS_OF_ROUTE = amount({ daily: 150, nightly: 950 });
/** A minute or two on a quiet machine. */
const PATIENCE_MS = 1_800_000;
/** They never end by themselves. */
const STREAMS = ['/api/stream', '/api/attempts/{attempt}/log'];
const ATTEMPT = 'ab'.repeat(12);
const NOW = Date.now();
const ago = (seconds: number) => new Date(NOW - seconds * 1000);

let lab: Lab;
let dashboard: DashboardProcess;
/** Everything that was written, in its order. */
const written: ChangeStreamDocument[] = [];

beforeAll(async () => {
  await access(FUZZER).catch(() => {
    throw new Error(`there is no ${FUZZER}: scripts/test-tools.sh installs it`);
  });
  lab = await Lab.start();
  const states = [
    {},
    { state: 'failed', host: 'beta', time: ago(60), n_failures: 2, reason: 'boom' },
    { state: 'failed', host: 'beta', time: ago(60), n_failures: 10, outcome: 'given_up' },
    { state: 'busy', host: 'beta', time: ago(5), attempt: ATTEMPT, plan: { targets: ['a'] } },
    { state: 'done', host: 'beta', time: ago(9), plan: { targets: ['a'], dropped: [] } },
  ];
  await lab.insertRuns(
    ...Array.from({ length: RUNS }, (_, i) => ({
      ...{ number: i + 1, start: ago(4000 - i), end: ago(3900 - i), mode: 'radon' },
      ...{ detectors: ['tpc'], tags: [], rate: {}, data: [], status: 'eb_ready_to_upload' },
      daq_config: { processing_threads: { r: 1 }, strax_chunk_length: 5 },
      bootstrax: states[i % states.length],
    })),
  );
  await lab.attempts.insertOne({
    ...{ _id: ATTEMPT, run: 4, host: 'beta', failures: 0, started: ago(60), ended: null },
    ...{ plan: { targets: ['a'], dropped: [] }, result: null },
  });
  await lab.runsDatabase.collection('bootstrax').insertOne({
    ...{ host: 'beta', state: 'idle', time: new Date(), role: 'primary', slots: 1 },
    ...{ accepting: true, runs: [], thinking: 'waiting for runs' },
  });
  dashboard = await DashboardProcess.start(lab);
});
afterAll(async () => {
  await dashboard?.end();
  await lab?.end();
});

it(
  'random requests bring no error of the server’s own, and no change without its audit',
  async () => {
    const stream = lab.runsDatabase.watch();
    stream.on('change', (change) => written.push(change));
    await until('the stream of changes to tell of one', async () => {
      await lab.runsDatabase.collection('fuzz_mark').insertOne({ mark: 'begin' });
      return written.length > 0;
    });

    const { csrf } = await dashboard.json<SessionAnswer>('/api/session');
    const counts = join(lab.root, 'counts.json');
    const child = spawn(
      FUZZER,
      [
        ...['run', new URL('/api/schema', dashboard.url).href, '--url', dashboard.url],
        ...['--phases', 'fuzzing', '--max-examples', String(REQUESTS_OF_ROUTE), '--no-shrink'],
        ...['--checks', 'not_a_server_error,status_code_conformance,content_type_conformance'],
        ...['--continue-on-failure', '--suppress-health-check', 'all', '--seed', '7'],
        ...['--generation-database', 'none', '--request-timeout', '60', '--warnings', 'off'],
        ...STREAMS.flatMap((path) => ['--exclude-path', path]),
        ...['-H', `x-bootstrax-csrf: ${csrf}`],
      ],
      {
        cwd: lab.root,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          ...process.env,
          ...{ SCHEMATHESIS_HOOKS: 'hooks', PYTHONPATH: HERE, PYTHONDONTWRITEBYTECODE: '1' },
          ...{ FUZZ_URL: dashboard.url, FUZZ_TOKEN: csrf ?? '', FUZZ_COUNTS: counts },
          FUZZ_ACTIONS: JSON.stringify(TARGETS),
          ...{ FUZZ_RUNS: String(RUNS), NO_COLOR: '1', PYTHONUTF8: '1' },
        },
      },
    );
    let told = '';
    for (const output of [child.stdout, child.stderr]) {
      output.on('data', (piece: Buffer) => (told += piece.toString()));
    }
    const [code] = (await once(child, 'close')) as [number | null];
    expect(code, told).toBe(0);

    const statuses = JSON.parse(await readFile(counts, 'utf8')) as Record<string, number>;
    const sent = Object.values(statuses).reduce((sum, each) => sum + each, 0);
    expect(sent, told).toBeGreaterThanOrEqual(REQUESTS);
    // The schemas let through enough for the rest to mean something.
    expect(statuses['200'], JSON.stringify(statuses)).toBeGreaterThan(REQUESTS / 10);
    expect(Object.keys(statuses).filter((status) => Number(status) >= 500)).toEqual([]);
    expect(dashboard.log).not.toContain('"dashboard.error"');

    await lab.runsDatabase.collection('fuzz_mark').insertOne({ mark: 'end' });
    await until('all changes to be told', () =>
      written.some((change) => 'fullDocument' in change && change.fullDocument?.['mark'] === 'end'),
    );
    await stream.close();
    await everyChangeIsInTheAudit();
  },
  PATIENCE_MS,
);

/** Between the first and the last note of an action, and only then, what it is about is changed. */
async function everyChangeIsInTheAudit(): Promise<void> {
  const runs = new Map(
    (await lab.runs.find().toArray()).map(({ _id, number }) => [_id.toHexString(), number]),
  );
  const open = new Map<string, Document>();
  const unlogged: unknown[] = [];
  let asked = 0;
  let changed = 0;
  for (const { coll, id, operation, fields } of written.flatMap(changeOf)) {
    if (coll === 'bootstrax_actions') {
      if (operation === 'insert') asked += 1;
      const action = { ...open.get(id), ...fields };
      if (['done', 'refused'].includes(String(action['state']))) open.delete(id);
      else open.set(id, action);
      continue;
    }
    changed += 1;
    const isAbout = ({ run, item }: Document) =>
      (coll === 'runs' && run === runs.get(id)) ||
      (coll === 'bootstrax_attempts' && run !== null) ||
      (coll === 'bootstrax_acknowledgements' && item !== null);
    if (![...open.values()].some(isAbout)) unlogged.push({ coll, id, operation, fields });
  }
  expect(unlogged).toEqual([]);
  // Enough has been asked for, and changed, for this to mean something.
  expect(asked).toBeGreaterThan(REQUESTS / 100);
  expect(changed).toBeGreaterThan(REQUESTS / 200);
}

function changeOf(change: ChangeStreamDocument) {
  if (!('documentKey' in change) || change.ns.coll === 'fuzz_mark') return [];
  const whole = 'fullDocument' in change ? change.fullDocument : undefined;
  const parts = 'updateDescription' in change ? change.updateDescription.updatedFields : undefined;
  return [
    {
      coll: change.ns.coll,
      id: String((change.documentKey as { _id: unknown })._id),
      operation: change.operationType,
      fields: whole ?? parts ?? {},
    },
  ];
}
