import { afterAll, beforeAll, expect, it } from 'vitest';

import { highestNumber } from '../../../src/run/run-list.store.ts';
import { seenOf } from '../../../src/run/stored-runs.ts';
import { onEachServer, type ServerStore, testStore } from './server.ts';

const DEPTH = 85;

onEachServer('odd run numbers', ({ url }) => {
  let test: ServerStore;

  beforeAll(async () => {
    test = await testStore(url());
  });
  afterAll(() => test.close());

  it('two documents with the same deeply nested number keep nobody from the list of runs', async () => {
    let nested: unknown = 'x';
    for (let depth = 0; depth < DEPTH; depth++) nested = depth % 2 ? [nested] : { a: nested };
    const now = await test.store.serverTime();
    const start = new Date(now.getTime() - 60_000);
    await test.runs.insertMany([
      { number: 1003, start },
      { number: nested, start },
      { number: nested, start },
    ] as never);
    const find = (filter: object, options: object) => test.runs.find(filter, options).toArray();
    expect(await highestNumber({ find }, null, now)).toBe(1003);
    const { runs } = await test.store.overview.list({ limit: 10 });
    expect(runs.map((run) => seenOf(run).number)).toEqual([1003]);
  });
});
