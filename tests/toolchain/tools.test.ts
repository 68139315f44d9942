import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Document, Filter } from 'mongodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { type StoredRun, until } from '../support/lab.ts';
import { smallMachine } from '../support/small-machine.ts';
import { DAQ_DB, Site } from './site.ts';

// One run in each state of its life, brought there by our managers, and what the programs and
// pages around them find. Numbers in titles are sections of the written reference.

const EB5 = 'eb5.xenon.local';
const EB3 = 'eb3.xenon.local';
const DAY_MS = 24 * 3600 * 1000;
const SHORT = [
  '--seconds',
  '3',
  '--chunk-seconds',
  '1',
  '--overlap-seconds',
  '0.2',
  '--speed',
  '0',
];
/** A run is still being taken, or waits for its data rate, when all is looked at. */
const STANDING = ['--seconds', '1200', '--chunk-seconds', '1', '--overlap-seconds', '0.2'];

type State =
  | 'claimed'
  | 'busy'
  | 'done'
  | 'failed'
  | 'requeued'
  | 'set aside'
  | 'given up'
  | 'abandoned'
  | 'held';

interface Finds {
  finds: number[];
  removes: [number, string][];
}

interface Found {
  ajax: Record<string, Finds>;
  ajaxLater: Record<string, Finds>;
  restrax: number[];
}

let site: Site;
const numbers = {} as Record<State, number>;

beforeAll(async () => {
  site = await Site.start();
  await site.makeOutput(EB5, EB3);
  await mkdir(site.processed(EB5), { recursive: true });
  await site.lab.client
    .db(DAQ_DB)
    .collection('restrax_config')
    .insertOne({ name: 'restrax_config' });
  await bringAbout();
}, 400_000);
afterAll(() => site.end());

/** Waits after failures are so long that a run stays as it is. */
async function ours(host: string, maxRateSeconds = 2): Promise<void> {
  await site.lab.manager({
    host,
    config: smallMachine({
      database: { credentialsFile: 'utilix' },
      retry: { baseSeconds: 6000, uncounted: { firstSeconds: 600 } },
      limits: { maxRateSeconds, consideringLeaseSeconds: 3, housekeepingSeconds: 1 },
    }),
    env: {
      BOOTSTRAX_MONGO_URL: '',
      BOOTSTRAX_RUNS_DB: '',
      BOOTSTRAX_OUTPUT: site.output(host),
      XENON_CONFIG: site.configuration,
    },
  });
}

async function bringAbout(): Promise<void> {
  const { lab } = site;
  const take = async (...args: string[]) => (await lab.takeRuns([...SHORT, ...args]))[0]!;
  const change = (number: number, fields: Document) =>
    lab.runs.updateOne({ number }, { $set: fields as Partial<StoredRun> });
  const outcome = (state: State, word: string) =>
    until(`a run that is ${state}`, async () => {
      const run = await lab.run(numbers[state]);
      return run.bootstrax.outcome === word ? run : null;
    }).catch(async (error: unknown) => {
      throw new Error(
        `${String(error)}: ${JSON.stringify((await lab.run(numbers[state])).bootstrax)}`,
      );
    });

  numbers['done'] = await take('--detectors', 'tpc,neutron_veto,muon_veto');
  numbers['failed'] = await take('--fault', 'corrupt-chunk');
  numbers['given up'] = await take('--fault', 'corrupt-chunk');
  numbers['set aside'] = await take('--fault', 'no-data-field');
  numbers['requeued'] = await take();
  numbers['abandoned'] = await take();
  numbers['held'] = await take();
  const long_ago = new Date(Date.now() - DAY_MS / 2);
  await change(numbers['given up'], {
    bootstrax: {
      ...{ state: 'failed', n_failures: 9, host: EB3, time: long_ago },
      next_retry: new Date(Date.now() + DAY_MS),
    },
  });
  const asked = ['fail', String(numbers['given up']), 'corrupt', 'data'];
  expect((await lab.command(asked, { host: EB3 })).code).toBe(0);
  await change(numbers['requeued'], {
    bootstrax: { state: 'considering', host: 'eb0.xenon.local', time: long_ago },
  });
  await change(numbers['abandoned'], {
    tags: [{ name: 'abandon', user: 'shifter', date: long_ago }],
    // Where ajax looks for it.
    data: [{ type: 'live', host: 'daq', location: '/live_data/xenonnt' }],
  });
  await change(numbers['held'], {
    tags: [{ name: 'hold-processing', user: 'shifter', date: long_ago }],
  });
  await ours(EB5);
  await outcome('done', 'done');
  await outcome('failed', 'failed');
  await outcome('given up', 'given_up');
  await outcome('set aside', 'set_aside');
  await outcome('requeued', 'requeued');
  await outcome('abandoned', 'abandoned');

  void lab.takeRuns(STANDING).catch(() => undefined);
  numbers['busy'] = numbers['held'] + 1;
  await until('the next run', () => lab.runs.findOne({ number: numbers['busy'] }));
  const busy = await lab.reached(numbers['busy'], ['busy']);
  expect(busy.bootstrax.host).toBe(EB5);
  await until(
    'the busy run to have stored something',
    async () => (await lab.begun(numbers['busy'])).length > 0,
  );

  await ours(EB3, 600);
  const like = await lab.run(numbers['busy']);
  const { _id: _, ...run } = like;
  numbers['claimed'] = numbers['busy'] + 1;
  await lab.insertRuns({
    ...run,
    number: numbers['claimed'],
    data: like.data.slice(0, 1),
    bootstrax: { state: null },
  });
  await mkdir(join(lab.live, String(numbers['claimed']).padStart(6, '0')));
  const claimed = await lab.reached(numbers['claimed'], ['considering']);
  expect(claimed.bootstrax.host).toBe(EB3);
}

const tools = (host: string, ...args: string[]) =>
  site.python('tools.py', [host, site.output(host), site.processed(host), ...args]);
const find = (host: string) =>
  tools(host, 'find', ...Object.values(numbers).map(String)) as Promise<Found>;

/** The states in which a query finds its runs. */
async function states(filter: Filter<Document>): Promise<State[]> {
  const found = await site.lab.runsDatabase.collection('runs').find(filter).toArray();
  const byNumber = new Map(Object.entries(numbers).map(([state, number]) => [number, state]));
  return found.map(({ number }) => byNumber.get(number as number) as State).sort();
}

const NOTHING = { finds: [], removes: [] };

test('9.1, 9.2: ajax and restrax find what is theirs, and nothing else', async () => {
  const { done, abandoned } = numbers;
  const here = await find(EB5);
  expect(here.restrax).toEqual([done]);
  expect(here.ajax).toEqual({
    clean_ceph: NOTHING,
    clean_abandoned: NOTHING,
    clean_abandoned_live: NOTHING,
    clean_non_latest: NOTHING,
    clean_database: NOTHING,
    // Its folders are all registered; those of the busy run are not in the output folder yet.
    clean_unregistered: { finds: [done], removes: [] },
  });
  expect(here.ajaxLater).toEqual({
    ...here.ajax,
    clean_abandoned_live: { finds: [abandoned], removes: [] },
    clean_database: { finds: [done], removes: [] },
  });

  const elsewhere = await find(EB3);
  expect(elsewhere.restrax).toEqual([]);
  expect(elsewhere.ajaxLater['clean_database']).toEqual(NOTHING);
  expect(elsewhere.ajaxLater['clean_unregistered']).toEqual(NOTHING);
});

describe('a manager of the reference beside ours (2.2)', () => {
  const NOW = new Date();
  const ago = (seconds: number) => new Date(NOW.getTime() - seconds * 1000);
  test.each<[string, Filter<Document>, State[]]>([
    ['new run', { 'bootstrax.state': null, 'tags.name': { $ne: 'hold-processing' } }, []],
    ['new veto run', { detectors: { $ne: 'tpc' }, 'bootstrax.state': null }, []],
    ['queue', { 'bootstrax.state': null }, ['held']],
    [
      'retry, none due yet',
      {
        'bootstrax.state': 'failed',
        'bootstrax.n_failures': { $lt: 10 },
        'bootstrax.next_retry': { $lt: NOW },
      },
      [],
    ],
    [
      'retry, tomorrow',
      {
        'bootstrax.state': 'failed',
        'bootstrax.n_failures': { $lt: 10 },
        'bootstrax.next_retry': { $lt: ago(-86_400) },
      },
      ['failed', 'requeued'],
    ],
    ['stale claim', { 'bootstrax.state': 'considering', 'bootstrax.time': { $lt: ago(60) } }, []],
    ['stale run', { 'bootstrax.state': 'busy', 'bootstrax.time': { $lt: ago(120) } }, []],
    ['done without end', { 'bootstrax.state': 'done', end: null }, []],
    [
      'done without product',
      {
        'bootstrax.state': 'done',
        data: { $not: { $elemMatch: { type: { $ne: 'live' } } } },
      },
      [],
    ],
    ['abandon a failed run', { 'tags.name': 'abandon', 'bootstrax.state': 'failed' }, []],
  ])('%s', async (_, filter, expected) => {
    expect(await states(filter)).toEqual(expected);
  });
});

test('9.3: what admix, analysts and people look for', async () => {
  expect(await states({ status: 'eb_ready_to_upload' })).toEqual([]);
  expect(await states({ status: 'eb_finished_pre' })).toEqual(['done']);
  expect(await states({ 'bootstrax.n_failures': { $gt: 1 } })).toEqual(['given up']);
  expect(await states({ 'bootstrax.reason': /corrupt|decompress|cannot read/i })).toEqual([
    'failed',
    'given up',
  ]);
  // What a busy run has so far is nobody's business yet.
  expect(await states({ 'data.host': /^eb[0-5]\.xenon\.local$/ })).toEqual(['done']);
  // Several tools read the host of every run that has been touched without looking whether it is there.
  const touched: Filter<Document> = { 'bootstrax.state': { $ne: null } };
  expect(
    await states({ ...touched, 'bootstrax.host': { $not: /^eb[0-5]\.xenon\.local$/ } }),
  ).toEqual([]);
  expect(await states({ ...touched, 'bootstrax.time': { $not: { $type: 'date' } } })).toEqual([]);
});

test('9.4: the status page has one fresh document of each host, with all that busy needs', async () => {
  const monitor = site.lab.client.db(DAQ_DB).collection('eb_monitor');
  for (const [host, state] of [
    [EB5, 'busy'],
    [EB3, 'claimed'],
  ] as const) {
    const newest = await monitor.findOne({ host }, { sort: { _id: -1 } });
    expect(newest, host).toMatchObject({
      host,
      state: 'busy',
      run_id: String(numbers[state]).padStart(6, '0'),
      cores: 1,
    });
    expect(newest!['targets'], host).toEqual(expect.arrayContaining(['event_info']));
    expect(Date.now() - (newest!['time'] as Date).getTime()).toBeLessThan(20_000);
  }
});

test('9.4: the log page shows what needs a person, with its run, newest first', async () => {
  const log = site.lab.client.db(DAQ_DB).collection('log');
  const shown = await log.find({ priority: { $gte: 2, $lt: 5 } }, { sort: { _id: -1 } }).toArray();
  for (const message of shown) {
    expect(message).toMatchObject({ user: expect.stringMatching(/^bootstrax_eb[35]\./) as string });
    expect(typeof message['message']).toBe('string');
  }
  const runs = new Set(shown.map(({ runid }) => runid as number));
  for (const state of ['failed', 'given up', 'set aside'] as const) {
    expect(runs, state).toContain(numbers[state]);
  }
  expect(runs).not.toContain(numbers['done']);
});

test('9.2, 9.3: restrax hands the done run on; nothing of it is taken back', async () => {
  const { done } = numbers;
  const before = await site.lab.run(done);
  await tools(EB5, 'restrax', String(done));
  const after = await site.lab.run(done);
  expect(after).toMatchObject({
    status: 'eb_ready_to_upload',
    restrax: { state: 'done', host: EB5 },
  });
  expect(after.bootstrax).toEqual(before.bootstrax);
  const moved = after.data.filter(({ host }) => host === EB5);
  expect(moved.length).toBe(before.data.filter(({ host }) => host === EB5).length);
  for (const { location, type, file_count } of moved) {
    expect(String(location), String(type)).toMatch(new RegExp(`^${site.processed(EB5)}/`));
    expect(existsSync(String(location)), String(location)).toBe(true);
    expect(file_count).toBeGreaterThan(0);
  }
  expect(await states({ status: 'eb_ready_to_upload' })).toEqual(['done']);

  // Our manager has cleaned up several times since; admix has transferred the run.
  await site.lab.runs.updateOne({ number: done }, { $set: { status: 'transferred' } });
  const { ajaxLater, restrax } = await find(EB5);
  expect(restrax).toEqual([]);
  expect(ajaxLater['clean_ceph']).toEqual({ finds: [done], removes: [] });
  expect(ajaxLater['clean_database']).toEqual({ finds: [done], removes: [] });
  expect(ajaxLater['clean_non_latest']).toEqual(NOTHING);
  expect(await site.lab.run(done)).toEqual({ ...after, status: 'transferred' });
});
