import { ObjectId } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { HostHeartbeat } from '../../../../src/host/host.port.ts';
import type { StoredOutcome } from '../../../../src/retry/attempt-history.port.ts';
import type { RunListQuery } from '../../../../src/run/run.port.ts';
import { seenOf } from '../../../../src/run/stored-runs.ts';
import { holderOf } from '../../../support/holder.ts';
import type { Open, TestStore } from './opened.ts';
import { EB3, EB4, newAttempt, runDocument } from './run-documents.ts';

const SIGN: HostHeartbeat = {
  host: EB3,
  pid: 123,
  state: 'idle',
  targets: ['events'],
  max_cores: 8,
  max_messages: 10,
  undying: true,
  production_mode: true,
  cpu_percent: 1.5,
  memory_percent: 2.5,
  swap_percent: 0,
  disk_used: 40,
  thinking: 'Waiting for $money.',
  instance: '0123456789abcdef01234567',
};

const OUTCOME: StoredOutcome = {
  outcome: 'failed',
  counted: true,
  cause: 'strax_error',
  reason: 'broken $file',
  traceback: null,
  fingerprint: 'abc',
  plugin: 'peaks',
  seconds: 3,
  peakMemoryBytes: 1e9,
  bytes: 5,
  chunks: 3,
  dropped: ['events'],
  products: [{ type: 'raw_records', lineage: { a: '$b' } }],
  versions: { strax: '2.2.3' },
};

export function collectionsContract(open: Open): void {
  let test: TestStore;

  beforeAll(async () => {
    test = await open();
  });
  afterAll(() => test.close());

  const near = async (time: unknown) => {
    const now = await test.store.serverTime();
    expect(Math.abs(now.getTime() - (time as Date).getTime())).toBeLessThan(5000);
  };

  describe('hosts', () => {
    const earlier = holderOf(EB3);
    const newer = holderOf(EB3, { instance: 'f'.repeat(24) });
    const says = {
      host: EB3,
      state: 'busy',
      holder: earlier,
      extras: { run: 7, why: '$x' },
    } as const;

    it('have one document each, without leftovers', async () => {
      const { hosts } = test.store;
      expect(await hosts.named(EB3)).toBeNull();
      expect(await hosts.take(says, null)).toBe('taken');
      await hosts.take({ host: EB4, state: 'busy', holder: holderOf(EB4), extras: {} }, null);
      await hosts.write({ ...says, state: 'idle', extras: { slots: 1 } });
      const time = expect.any(Date) as Date;
      const all = await hosts.all();
      expect(all.sort((a, b) => a.host.localeCompare(b.host))).toEqual([
        { host: EB3, state: 'idle', time, holder: earlier, extras: { slots: 1 } },
        { host: EB4, state: 'busy', time, holder: holderOf(EB4), extras: {} },
      ]);
      await near(all[0]!.time);
      expect(await hosts.named(EB3)).toEqual(all[0]);
    });

    it('are held by one manager at a time', async () => {
      const { hosts } = test.store;
      const other = { ...says, holder: newer };
      expect(await hosts.take(other, null)).toBe('lost');
      expect(await hosts.take(other, '0'.repeat(24))).toBe('lost');
      expect(await hosts.write(other)).toBe('displaced');
      expect(await hosts.take(other, earlier.instance)).toBe('taken');
      expect(await hosts.write(says)).toBe('displaced');
      expect(await hosts.write(other)).toBe('landed');
      expect(await hosts.write({ ...other, isLast: true })).toBe('landed');
      expect((await hosts.named(EB3))?.holder).toBeNull();
      expect(await hosts.take(says, null)).toBe('taken');
    });

    it('that release 0.1.0 wrote are found, and shown once', async () => {
      const { hosts } = test.store;
      const old = test.outside('bootstrax');
      await old.insertOne({ host: 'old.lab', state: 'idle', time: new Date(0), pid: 12 });
      expect(await hosts.named('old.lab')).toMatchObject({ holder: null, extras: { pid: 12 } });
      const status = { ...says, host: 'old.lab', holder: holderOf('old.lab') };
      expect(await hosts.take(status, null)).toBe('taken');
      expect(await old.find({ host: 'old.lab' }).toArray()).toHaveLength(1);
      expect((await hosts.all()).filter(({ host }) => host === 'old.lab')).toHaveLength(1);
      expect(await old.findOne({ retired_host: 'old.lab' })).not.toBeNull();
    });

    it('the database is marked once, and the mark is no host', async () => {
      const { hosts } = test.store;
      const before = await hosts.all();
      expect(await hosts.readMark()).toBeNull();
      expect(await hosts.mark('one')).toBe('one');
      expect(await hosts.mark('two')).toBe('one');
      expect(await hosts.readMark()).toBe('one');
      expect(await hosts.all()).toEqual(before);
    });
  });

  describe('eb_monitor', () => {
    it('gets a new document for each heartbeat', async () => {
      const { ebMonitor } = test.store;
      expect(await ebMonitor.newest(EB3)).toBeNull();
      await ebMonitor.write(SIGN);
      await ebMonitor.write({ ...SIGN, state: 'busy', run_id: '000007', cores: 4 });
      const documents = await test.outside('eb_monitor').find().toArray();
      expect(documents).toHaveLength(2);
      const newest = await ebMonitor.newest(EB3);
      expect(newest).toMatchObject({ ...SIGN, state: 'busy', run_id: '000007', cores: 4 });
      await near(newest!.time);
      expect(documents[0]).not.toHaveProperty('run_id');
    });

    it('tells which managers of this program wrote for a host', async () => {
      const { ebMonitor } = test.store;
      const host = `written-${newAttempt()}.lab`;
      await ebMonitor.write({ ...SIGN, host });
      const collection = test.outside('eb_monitor');
      const time = await test.store.serverTime();
      await collection.insertOne({ host, time, pid: 9, thinking: 'of release 0.1.0' });
      await collection.insertOne({ host, time, pid: 8, state: 'idle' });
      const writers = await ebMonitor.writers(host, 60);
      writers.sort((one, other) => one.pid - other.pid);
      expect(writers.map(({ instance, pid }) => [pid, instance])).toEqual([
        [9, null],
        [123, '0123456789abcdef01234567'],
      ]);
      expect(await ebMonitor.writers(EB4, 60)).toEqual([]);
    });

    it('tells which of some hosts are alive and take runs', async () => {
      const { ebMonitor } = test.store;
      const collection = test.outside('eb_monitor');
      await ebMonitor.write({ ...SIGN, host: 'a' });
      await collection.insertOne({
        host: 'b',
        state: 'busy',
        time: new Date((await test.store.serverTime()).getTime() - 900_000),
      });
      await ebMonitor.write({ ...SIGN, host: 'c', state: 'dead_bootstrax' });
      await ebMonitor.write({ ...SIGN, host: 'd', state: 'disk full' });
      expect(await ebMonitor.alive(['a', 'b', 'c', 'd', 'e'], 300)).toEqual(['a']);
      expect(await ebMonitor.newest('b')).toMatchObject({ state: 'busy' });
    });

    it('keeps no process id of a host that is left, and says that nobody works there', async () => {
      const { ebMonitor } = test.store;
      const collection = test.outside('eb_monitor');
      const host = 'left.lab';
      const now = (await test.store.serverTime()).getTime();
      const old = [0, 1, 30, 24 * 9, 24 * 40].map((hours) => ({
        ...{ ...SIGN, host, pid: 4000 + hours },
        time: new Date(now - hours * 3_600_000),
      }));
      await collection.insertMany(old);
      await ebMonitor.write({ ...SIGN, host: 'other.lab', pid: 12 });
      // Of another program: it has no thoughts.
      await collection.insertOne({ host, pid: 77, state: 'idle', time: new Date(now) });
      await ebMonitor.releaseHost({ host, targets: ['peaks'], max_cores: 8, max_messages: 10 });
      const left = await collection.find({ host }, { sort: { _id: 1 } }).toArray();
      expect(left.map(({ pid }) => pid as number)).toEqual([0, 0, 0, 0, 0, 77, 0]);
      expect(left[0]).toMatchObject({ ...SIGN, host, pid: 0 });
      const { _id, time, ...last } = left.at(-1)!;
      expect(last).toEqual({
        ...{ host, pid: 0, state: 'dead_bootstrax', targets: ['peaks'] },
        ...{ max_cores: 8, max_messages: 10, undying: true, production_mode: true },
      });
      await near(time);
      expect((await collection.findOne({ host: 'other.lab' }))!.pid).toBe(12);
      expect(await ebMonitor.alive([host, 'other.lab'], 300)).toEqual(['other.lab']);
    });

    it('of a host that is left comes last, also after one of this very second by another process', async () => {
      const { ebMonitor } = test.store;
      const collection = test.outside('eb_monitor');
      const host = 'left-at-once.lab';
      const seconds = Math.floor(Date.now() / 1000).toString(16);
      const _id = new ObjectId(`${seconds}${'f'.repeat(16)}`);
      const time = await test.store.serverTime();
      await collection.insertOne({ ...SIGN, _id, host, time });
      await ebMonitor.releaseHost({ host, targets: ['peaks'], max_cores: 8, max_messages: 10 });
      const [newest] = await collection.find({ host }, { sort: { _id: -1 } }).toArray();
      expect(newest).toMatchObject({ state: 'dead_bootstrax' });
    });
  });

  it('the list of runs finds a tag however it is written, page by page', async () => {
    const { overview } = test.store;
    const named = (name: string) => ({ name, user: 'shifter' });
    const hold = 'hold-processing';
    const tags = [[hold], [named(hold)], ['x'], [named('x'), hold], hold, [], ['x', named(hold)]];
    await test.runs.insertMany(tags.map((each, i) => runDocument(i + 1, { tags: each })));
    const listed = async (query: Parameters<typeof overview.list>[0]) => {
      const found: number[] = [];
      let before: number | null = null;
      do {
        const page = await overview.list({ ...query, ...(before === null ? {} : { before }) });
        found.push(...page.runs.map((each) => Number(seenOf(each).number)));
        before = page.before;
      } while (before !== null);
      return found;
    };
    for (const limit of [1, 2, 3, 10]) {
      expect(await listed({ condition: 'held', limit })).toEqual([7, 5, 4, 2, 1]);
      expect(await listed({ tag: 'x', limit })).toEqual([7, 4, 3]);
      expect(await listed({ condition: 'held', tag: 'x', limit })).toEqual([7, 4]);
      expect(await listed({ condition: 'new', tag: 'x', limit })).toEqual([3]);
    }
  });

  it('the curves of a host go on before its oldest heartbeat, with the thinned ones', async () => {
    const { ebMonitor, hostHistory, overview } = test.store;
    const host = 'curves.lab';
    const now = (await test.store.serverTime()).getTime();
    const ago = (minutes: number) => new Date(now - minutes * 60_000);
    const thinned = [600, 300, 4, 2].map((minutes) => ({
      ...{ _id: `${host} ${minutes}`, host, time: ago(minutes), disk_used: minutes },
    }));
    await test.outside('bootstrax_host_history').insertMany(thinned);
    await test.outside('eb_monitor').insertMany([
      { host, time: ago(5), disk_used: 5 },
      { host, time: ago(1), disk_used: 1 },
    ]);
    const usedOf = (signs: readonly Record<string, unknown>[]) =>
      signs.map(({ disk_used }) => disk_used);
    const whole = await overview.signsOf(host, ago(2880), ago(-1), 1000);
    expect(usedOf(whole)).toEqual([1, 5, 300, 600]);
    expect(usedOf(await overview.thinnedSigns([host, 'x'], ago(400), ago(3), 5))).toEqual([4, 300]);
    // A manager that goes on keeps one of them for each few minutes.
    const sign = { ...SIGN, host, disk_used: 0.5, live_disk_used: 7 };
    await hostHistory.write(sign);
    await hostHistory.write({ ...sign, live_disk_used: 8 });
    await ebMonitor.write(sign);
    const [newest] = await overview.thinnedSigns([host], ago(1), ago(-1), 5);
    expect(newest).toMatchObject({ host, disk_used: 0.5, live_disk_used: 8, load: null });
    await near(newest!.time);
  });

  it('log: the shape that its readers expect', async () => {
    const { daqLog } = test.store;
    await daqLog.write({ host: EB3, priority: 'fatal', message: 'given up', run: 7 });
    await daqLog.write({ host: EB3, priority: 'info', message: 'hello' });
    const documents = await test
      .outside('log')
      .find({}, { projection: { _id: 0 }, sort: { priority: 1 } })
      .toArray();
    expect(documents).toEqual([
      { message: 'hello', user: `bootstrax_${EB3}`, priority: 1 },
      { message: 'given up', user: `bootstrax_${EB3}`, priority: 4, runid: 7 },
    ]);
  });

  it('rates: the sum of the maxima per detector', async () => {
    const status = test.outside('aggregate_status');
    expect(await test.store.rates.anySince(new Date(0))).toBe(false);
    const row = (number: number | null, detector: string, rate: number | null) => ({
      number,
      detector,
      rate,
      time: new Date(),
      status: 3,
    });
    await status.insertMany([
      row(7, 'tpc', 0),
      row(7, 'neutron_veto', null),
      row(null, 'tpc', 900),
    ]);
    expect(await test.store.rates.ofRun(7)).toBeNull();
    const minute = 60_000;
    expect(await test.store.rates.anySince(new Date(Date.now() - minute))).toBe(true);
    expect(await test.store.rates.anySince(new Date(Date.now() + minute))).toBe(false);
    await status.insertMany([
      row(7, 'tpc', 300),
      row(7, 'tpc', 400),
      row(7, 'neutron_veto', 20.5),
      row(8, 'tpc', 1000),
    ]);
    expect(await test.store.rates.ofRun(7)).toEqual({
      total: 420.5,
      detectors: { tpc: 400, neutron_veto: 20.5 },
    });
  });

  it('attempts: begun, planned, ended, listed, grouped', async () => {
    const { attempts } = test.store;
    const record = (run: number, host = EB3) => ({
      attempt: newAttempt(),
      run,
      host,
      mode: 'tpc_bkg',
      failures: 0,
      plan: null,
    });
    const first = record(1);
    expect(await attempts.end(first.attempt, OUTCOME)).toBe(false);
    await attempts.begin(first);
    await attempts.plan(first.attempt, { targets: ['$peaks'] });
    const begun = await attempts.get(first.attempt);
    expect(begun).toEqual({
      ...first,
      plan: { targets: ['$peaks'] },
      started: expect.any(Date) as Date,
      ended: null,
      result: null,
    });
    expect(await attempts.unfinished(EB3)).toEqual([begun]);
    expect(await attempts.unfinished(EB4)).toEqual([]);
    expect(await attempts.end(first.attempt, OUTCOME)).toBe(true);
    const ended = await attempts.get(first.attempt);
    expect(ended).toMatchObject({ ended: expect.any(Date) as Date, result: OUTCOME });
    expect(await attempts.unfinished(EB3)).toEqual([]);
    // Said again after a lost answer: nothing changes.
    await attempts.begin({ ...first, plan: { targets: ['$peaks'] } });
    expect(await attempts.end(first.attempt, OUTCOME)).toBe(true);
    expect(await attempts.get(first.attempt)).toEqual(ended);

    for (const [run, outcome] of [
      [1, { ...OUTCOME, fingerprint: 'other' }],
      [2, OUTCOME],
      [3, { ...OUTCOME, counted: false }],
    ] as const) {
      const next = record(run);
      await attempts.begin(next);
      await attempts.end(next.attempt, outcome);
    }
    expect((await attempts.ofRun(1, 10)).map(({ result }) => result?.fingerprint)).toEqual([
      'other',
      'abc',
    ]);
    const groups = await attempts.failureGroups(new Date(0), 10);
    expect(groups).toMatchObject([
      { fingerprint: 'abc', count: 3, counted: 2, runs: [3, 2, 1] },
      { fingerprint: 'other', count: 1, counted: 1, runs: [1] },
    ]);
    const since = new Date(0);
    const alike = await attempts.failures({ since, fingerprints: ['other'] });
    expect(alike).toEqual([{ run: 1, host: first.host, fingerprint: 'other', class: 'unknown' }]);
    expect(await attempts.failures({ since, notOn: first.host })).toEqual([]);
    expect(await attempts.failures({ since, classes: ['disk'] })).toEqual([]);
  });

  describe('list', () => {
    it('pages through sparse numbers, by state and mode, past malformed ones', async () => {
      const other = await open();
      try {
        const runs = other.runs;
        const list = (query: RunListQuery) => other.store.runs.list(query);
        expect(await list({ limit: 5 })).toEqual({ runs: [], before: null });
        const numbers = [3, 4, 5, 300, 301, 9000, 9001];
        await runs.insertMany(
          numbers.map((number) =>
            runDocument(number, {
              mode: number % 2 ? 'odd' : 'even',
              bootstrax: { state: number > 300 ? 'done' : null },
            }),
          ),
        );
        await runs.insertOne(runDocument(1, { number: 'odd one' }));
        const all = async (query: Omit<RunListQuery, 'limit'>, limit = 2) => {
          const found: unknown[] = [];
          let before: number | null | undefined;
          do {
            const page = await list({ ...query, limit, ...(before ? { before } : {}) });
            expect(page.runs.length).toBeLessThanOrEqual(limit);
            found.push(...page.runs.map((run) => seenOf(run).number));
            before = page.before;
          } while (before !== null);
          return found;
        };
        expect(await all({})).toEqual([...numbers].reverse());
        expect(await all({}, 100)).toEqual([...numbers].reverse());
        expect(await all({ state: 'done' })).toEqual([9001, 9000, 301]);
        expect(await all({ state: null })).toEqual([300, 5, 4, 3]);
        expect(await all({ mode: 'even' })).toEqual([9000, 300, 4]);
        expect(await all({ from: 4, to: 9000 })).toEqual([9000, 301, 300, 5, 4]);
        // The highest number is remembered; a newer run is found all the same.
        await runs.insertOne(runDocument(9050));
        expect(seenOf((await list({ limit: 1 })).runs[0]!).number).toBe(9050);
      } finally {
        await other.close();
      }
    });
  });
}
