import { type Collection, MongoClient } from 'mongodb';
import { describe, expect, it } from 'vitest';

import { findEmbedded, startEmbedded } from '../../../src/infra/mongo/embedded/embedded-server.ts';
import type { RunHint } from '../../../src/run/run.port.ts';
import { claimed, EB3, runDocument } from './contract/run-documents.ts';
import { watching } from './contract/watch.ts';
import { onEachServer, ownServer, PYTHON, testStore } from './server.ts';

/** By a client of its own: the driver's may not survive an orderly stop of the embedded server. */
async function insertJournalled(url: string, runs: Collection, number: number): Promise<void> {
  const client = new MongoClient(url, { writeConcern: { w: 'majority', journal: true } });
  try {
    await client.db(runs.dbName).collection(runs.collectionName).insertOne(runDocument(number));
  } finally {
    await client.close();
  }
}

onEachServer('watch', ({ url }) => {
  it('goes on after the collection was dropped', async () => {
    const test = await testStore(url());
    try {
      const runs = test.runsDb.collection('runs');
      await runs.insertOne(runDocument(0));
      const watch = await watching(test.store.runs);
      await runs.drop();
      const gaps = () => watch.hints.filter((hint) => hint === null).length;
      await expect.poll(gaps, { timeout: 10_000 }).toBeGreaterThan(1);
      // Each of these is told of by itself or covered by a gap that ends after it.
      let number = 5;
      await expect
        .poll(
          async () => {
            await runs.insertOne(runDocument(number++));
            return watch.hints.at(-1)?.kind;
          },
          { timeout: 10_000 },
        )
        .toBe('insert');
      await watch.end();
    } finally {
      await test.close();
    }
  });
});

onEachServer('watch of documents that are replaced', ({ url }) => {
  it('tells of what another program has changed so, and not of its heartbeats', async () => {
    const test = await testStore(url());
    try {
      const runs = test.runsDb.collection('runs');
      const { insertedId: _id } = await runs.insertOne(runDocument(7));
      const watch = await watching(test.store.runs);
      const replace = (bootstrax: object) =>
        runs.replaceOne({ _id }, { ...runDocument(7), bootstrax });
      const time = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds));
      const before = watch.hints.length;
      for (const second of [1, 2, 3]) {
        await replace({ state: 'busy', host: EB3, time: time(second) });
      }
      await replace({ state: 'failed', host: EB3, time: time(4) });
      await runs.insertOne(runDocument(8));
      await expect.poll(() => watch.hints.at(-1)).toMatchObject({ kind: 'insert', number: 8 });
      expect(watch.hints.slice(before)).toMatchObject([
        { kind: 'update', number: 7, state: 'busy' },
        { kind: 'update', number: 7, state: 'failed' },
        { kind: 'insert', number: 8 },
      ]);
      await watch.end();
    } finally {
      await test.close();
    }
  });
});

describe('watch over a restart of the server (embedded server)', () => {
  it.each(['SIGTERM', 'SIGKILL'] as const)('%s', async (signal) => {
    const server = await ownServer();
    const test = await testStore(server.url);
    try {
      const runs = test.runsDb.collection('runs');
      await insertJournalled(server.url, runs, 1);
      const watch = await watching(test.store.runs);
      await insertJournalled(server.url, runs, 2);
      await expect.poll(() => watch.hints.at(-1)).toMatchObject({ number: 2 });
      const running = await findEmbedded(server.stateDir);
      process.kill(running!.identity.pid, signal);
      await expect.poll(() => findEmbedded(server.stateDir), { timeout: 20_000 }).toBeNull();
      const before = watch.hints.length;
      await startEmbedded({ python: PYTHON, stateDir: server.stateDir, port: null });
      await insertJournalled(server.url, runs, 3);
      // The event itself, or a hint that something may have been missed.
      await expect
        .poll(() => watch.hints.slice(before), { timeout: 30_000 })
        .toSatisfy((hints: (RunHint | null)[]) =>
          hints.some((hint) => hint === null || hint.number === 3),
        );
      await insertJournalled(server.url, runs, 4);
      await expect.poll(() => watch.hints.at(-1), { timeout: 30_000 }).toMatchObject({ number: 4 });
      const [run] = await test.store.runs.byNumber(4);
      await claimed(test.store.runs, run!, { host: EB3 });
      expect(await watch.end()).toBe('aborted');
      const ups = test.events.filter((event) => event.kind === 'connection');
      // A restart quicker than the next look at the server goes unnoticed.
      expect(ups.map(({ up }) => up).join(' ')).toMatch(/^true( false true)*$/);
    } finally {
      await test.close();
      await server.stop();
    }
  });
});
