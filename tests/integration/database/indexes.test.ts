import { afterAll, beforeAll, expect, it } from 'vitest';

import { EB_MONITOR_CAPPED } from '../../../src/host/eb-monitor.store.ts';
import type { HostHeartbeat } from '../../../src/host/host.port.ts';
import { onEachServer, type ServerStore, testStore } from './server.ts';

const SIGN: HostHeartbeat = {
  ...{
    host: 'eb3.lab',
    instance: 'a',
    pid: 1,
    state: 'idle',
    targets: ['peaks'],
    max_cores: 1,
    max_messages: 4,
  },
  ...{ undying: true, production_mode: true, thinking: 'waiting for runs' },
  ...{ cpu_percent: 0, memory_percent: 0, swap_percent: 0, disk_used: 0 },
};

onEachServer('indexes', ({ url }) => {
  let test: ServerStore;

  beforeAll(async () => {
    test = await testStore(url());
  });
  afterAll(() => test.close());

  it('the collection of heartbeats is capped where we create it, and left as it is elsewhere', async () => {
    const optionsOf = async (of: ServerStore) =>
      (await of.daqDb.listCollections({ name: 'eb_monitor' }).toArray())[0] as
        { options?: { capped?: boolean } } | undefined;
    expect((await optionsOf(test))?.options).toMatchObject({ capped: true });
    expect(await test.store.heartbeatsBound()).toMatchObject({ bound: 'capped' });
    const other = await testStore(url(), { manage: false });
    try {
      const absent = await other.store.heartbeatsBound();
      expect(absent.bound).toBe('absent');
      expect(absent.command).toMatch(
        /^db\.getSiblingDB\("test_daq_.*"\)\.createCollection\("eb_monitor", \{"capped":true,"size":268435456\}\)$/,
      );
      const signs = other.daqDb.collection('eb_monitor');
      await signs.insertOne({ host: 'a', time: new Date() });
      const names = { runsDb: other.runsDb.databaseName, daqDb: other.daqDb.databaseName };
      const managed = await testStore(url(), names);
      expect((await optionsOf(other))?.options?.capped).not.toBe(true);
      const unbounded = await other.store.heartbeatsBound();
      expect(unbounded.bound).toBe('none');
      expect(unbounded.command).toContain(
        'createIndex({"time":1}, {"name":"expires","expireAfterSeconds":172800})',
      );
      // As an earlier version of this program created it.
      await signs.createIndex({ time: 1 }, { name: 'expires', expireAfterSeconds: 172_800 });
      expect(await other.store.heartbeatsBound()).toMatchObject({ bound: 'expiring' });
      await managed.store.ensureIndexes();
      expect(await other.store.heartbeatsBound()).toMatchObject({ bound: 'expiring' });
      await managed.close();
    } finally {
      await other.close();
    }
  });

  it('a full collection of heartbeats takes each way in which they are written', async () => {
    const full = await testStore(url());
    try {
      const signs = full.daqDb.collection('eb_monitor');
      const isEmbedded = 'secantusVersion' in (await full.daqDb.command({ buildInfo: 1 }));
      const most = isEmbedded ? EB_MONITOR_CAPPED.embeddedDocuments : Infinity;
      const time = await full.store.serverTime();
      const old = { ...SIGN, host: 'old.lab', time: new Date(time.getTime() - 600_000) };
      const some = Array.from({ length: EB_MONITOR_CAPPED.embeddedDocuments }, () => ({ ...old }));
      await signs.insertMany(some);
      for (let i = 0; i < 20; i++) await full.store.ebMonitor.write({ ...SIGN, cpu_percent: i });
      const kept = await signs.find({}, { sort: { _id: 1 } }).toArray();
      expect(kept).toHaveLength(Math.min(most, some.length + 20));
      expect(kept.slice(-20).map(({ cpu_percent }) => cpu_percent as number)).toEqual(
        Array.from({ length: 20 }, (_, i) => i),
      );
      const silent = await full.store.silentHosts.newest('old.lab');
      expect(await full.store.silentHosts.markDead(silent!)).toBe('landed');
      expect(await full.store.silentHosts.newest('old.lab')).toMatchObject({ time: old.time });
      const { host, targets, max_cores, max_messages } = SIGN;
      await full.store.ebMonitor.releaseHost({ host, targets, max_cores, max_messages });
      const last = await full.store.ebMonitor.newest(host);
      expect(last).toMatchObject({ pid: 0, state: 'dead_bootstrax' });
      expect(await signs.countDocuments({ host, pid: { $ne: 0 } })).toBe(0);
      expect(await signs.countDocuments()).toBe(Math.min(most, some.length + 21));
    } finally {
      await full.close();
    }
  });

  it('the thinned heartbeats of hosts that are gone expire after two days', async () => {
    const indexes = await test.runsDb.collection('bootstrax_host_history').indexes();
    const expiring = indexes.filter(({ expireAfterSeconds }) => expireAfterSeconds !== undefined);
    expect(expiring.map(({ key, expireAfterSeconds }) => [key, expireAfterSeconds])).toEqual([
      [{ time: 1 }, 2 * 86_400 + 300],
    ]);
  });

  it('nothing is created where we are not the masters, and doctor gets commands', async () => {
    const other = await testStore(url(), { manage: false });
    try {
      const missing = await other.store.missingIndexes();
      expect(missing.map(({ collection }) => collection)).toEqual(
        expect.arrayContaining(['runs', 'bootstrax', 'bootstrax_attempts', 'eb_monitor']),
      );
      expect(missing[0]!.command).toContain('createIndex({"number":1}, {"name":"number"})');
      await expect(other.store.ensureIndexes()).rejects.toMatchObject({ kind: 'refused' });
      expect(await other.runsDb.listCollections().toArray()).toEqual([]);
      await other.runsDb.collection('runs').createIndex({ number: -1, x: 1 });
      const left = await other.store.missingIndexes();
      expect(left).toHaveLength(missing.length - 1);
      expect(await test.store.missingIndexes()).toEqual([]);
      await test.store.ensureIndexes();
    } finally {
      await other.close();
    }
  });
});
