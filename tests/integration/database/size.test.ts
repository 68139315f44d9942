import { afterAll, beforeAll, expect, it } from 'vitest';

import type { RunDocument } from '../../../src/run/run-document.port.ts';
import { seenOf } from '../../../src/run/stored-runs.ts';
import { EB3, newAttempt, runDocument } from './contract/run-documents.ts';
import { onEachServer, type ServerStore, testStore } from './server.ts';

onEachServer('size', ({ url }) => {
  let test: ServerStore;

  beforeAll(async () => {
    test = await testStore(url());
  });
  afterAll(() => test.close());

  const numbers = (documents: RunDocument[]) => documents.map((each) => seenOf(each).number);

  it('among 20,000 runs costs milliseconds', { timeout: 300_000 }, async () => {
    const store = test.store.runs;
    const runs = test.runsDb.collection('runs');
    const many = 20_000;
    const padding = 'x'.repeat(1000);
    for (let from = 0; from < many; from += 1000) {
      await runs.insertMany(
        Array.from({ length: 1000 }, (_, i) =>
          runDocument(from + i, {
            end: new Date(),
            bootstrax: { state: (from + i) % 100 === 0 ? 'abandoned' : 'done', time: new Date(0) },
            padding,
          }),
        ),
      );
    }
    const find: number[] = [];
    const claim: number[] = [];
    for (let i = 0; i < 200; i++) {
      await runs.insertOne(runDocument(many + i));
      const begun = performance.now();
      const [candidate] = await store.newCandidates({ limit: 10 });
      const found = performance.now();
      expect(seenOf(candidate!).number).toBe(many + i);
      const owner = { attempt: newAttempt(), host: EB3 };
      expect(await store.claim(seenOf(candidate!), owner)).toBe('claimed');
      find.push(found - begun);
      claim.push(performance.now() - found);
    }
    const quantile = (values: number[], q: number) =>
      values.sort((a, b) => a - b)[Math.floor(values.length * q)]!;
    console.log(
      `of ${many}: candidates p50 ${quantile(find, 0.5).toFixed(1)} p99 ${quantile(find, 0.99).toFixed(1)} ms, ` +
        `claim p50 ${quantile(claim, 0.5).toFixed(1)} p99 ${quantile(claim, 0.99).toFixed(1)} ms`,
    );
    expect(quantile(find, 0.5)).toBeLessThan(50);
    expect(quantile(claim, 0.5)).toBeLessThan(50);

    const begun = performance.now();
    const page = await store.list({ limit: 50 });
    console.log(`first page of the list: ${(performance.now() - begun).toFixed(0)} ms`);
    expect(page.runs).toHaveLength(50);
    expect(seenOf(page.runs[0]!).number).toBe(many + 199);
    const next = performance.now();
    const second = await store.list({ limit: 50, before: page.before! });
    console.log(`second page: ${(performance.now() - next).toFixed(0)} ms`);
    expect(seenOf(second.runs[0]!).number).toBe(many + 149);
    const rare = performance.now();
    const abandoned = await store.list({ limit: 150, state: 'abandoned' });
    console.log(`abandoned ones: ${(performance.now() - rare).toFixed(0)} ms`);
    expect(numbers(abandoned.runs)).toEqual(
      Array.from({ length: 150 }, (_, i) => 19_900 - 100 * i),
    );
  });
});
