import type { Document } from 'mongodb';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { Lab, until } from '../../support/lab.ts';

const TAKE = ['--seconds', '4', '--speed', '0', '--rate', '10'];

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start();
});
afterAll(() => lab.end());

/** Runs as the simulator takes them, whose documents are spoilt before any manager sees them. */
async function spoilt(changes: Document): Promise<number> {
  const [number] = await lab.takeRuns(TAKE);
  await lab.runs.updateOne({ number: number! }, { $set: changes });
  return number!;
}

test('odd fields that no decision needs stop nothing; tags as plain text hold and abandon', async () => {
  const odd = await spoilt({
    ...{ detectors: 'tpc', tags: ['messy', 5], status: 7, rate: 'high' },
    bootstrax: { state: null, n_failures: 'none', time: 5 },
  });
  const heldText = await spoilt({ tags: 'hold-processing' });
  const heldList = await spoilt({ tags: ['hold-processing', { name: 'messy' }] });
  const abandoned = await spoilt({ tags: ['abandon'] });
  const manager = await lab.manager();
  const done = await lab.reached(odd, ['done']);
  // Somebody else's, whatever it means.
  expect(done['status']).toBe(7);
  expect(done['detectors']).toBe('tpc');
  await until('the abandoned run', async () => {
    return (await lab.run(abandoned)).bootstrax.state === 'abandoned';
  });
  for (const number of [heldText, heldList]) {
    expect((await lab.run(number)).bootstrax.state).toBeNull();
  }
  expect(
    manager.lines.find(
      (line) => line['event'] === 'document.odd' && String(line['msg']).includes('detectors'),
    ),
  ).toBeDefined();
  for (const number of [heldText, heldList]) {
    const released = await lab.command(['release', String(number)]);
    expect(released.stderr).toBe('');
    await lab.reached(number, ['done']);
  }
  expect((await lab.run(heldList))['tags']).toEqual([{ name: 'messy' }]);
});
