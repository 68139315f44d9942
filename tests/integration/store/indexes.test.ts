import { afterAll, beforeAll, expect, it } from 'vitest';

import { onEachServer, testStore, type ServerStore } from './server.ts';

onEachServer('indexes', ({ url }) => {
  let test: ServerStore;

  beforeAll(async () => {
    test = await testStore(url());
  });
  afterAll(() => test.close());

  it('eb_monitor is capped where we create it', async () => {
    const info = await test.daqDb.listCollections({ name: 'eb_monitor' }).toArray();
    expect(info[0]).toMatchObject({ options: { capped: true } });
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
