import { afterAll, beforeAll, expect, it } from 'vitest';

import { onEachServer, testStore, type ServerStore } from './server.ts';

onEachServer('indexes', ({ url }) => {
  let test: ServerStore;

  beforeAll(async () => {
    test = await testStore(url());
  });
  afterAll(() => test.close());

  it('old life signs expire where we create their collection, and only there', async () => {
    const expiring = async (of: ServerStore) =>
      (await of.daqDb.collection('eb_monitor').indexes()).flatMap((index) =>
        index.expireAfterSeconds === undefined ? [] : [[index.key, index.expireAfterSeconds]],
      );
    expect(await expiring(test)).toEqual([[{ time: 1 }, 2 * 86_400]]);
    const other = await testStore(url(), { manage: false });
    try {
      await other.daqDb.collection('eb_monitor').insertOne({ host: 'a', time: new Date(0) });
      const names = { runsDb: other.runsDb.databaseName, daqDb: other.daqDb.databaseName };
      const managed = await testStore(url(), names);
      expect(await expiring(other)).toEqual([]);
      await managed.close();
    } finally {
      await other.close();
    }
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
