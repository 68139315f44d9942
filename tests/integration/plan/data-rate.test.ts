import { afterAll, beforeAll, expect, test } from 'vitest';

import { Lab } from '../../support/lab.ts';
import { smallMachine } from '../../support/small-machine.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start();
});
afterAll(() => lab.end());

test('a live run whose rate becomes known late gets the resources of that rate, at once', async () => {
  // The reference's tables and waiting times, on a disk of any size.
  const limits = { minRateAgeSeconds: undefined, maxRateSeconds: undefined };
  const config = smallMachine({ limits, resources: undefined });
  const manager = await lab.manager({ config });
  await manager.event('worker.ready');
  // The dispatcher reports whether or not a run is being taken.
  const status = lab.client.db(lab.daqDb).collection('aggregate_status');
  await status.insertOne({ detector: 'tpc', number: null, rate: 0, time: new Date() });
  const taking = lab.takeRuns([
    ...['--seconds', '16', '--speed', '1', '--rate', '2', '--chunk-seconds', '2'],
    ...['--fault', 'silent-status', '--reported-rate', '400'],
  ]);
  const started = await manager.event('attempt.started');
  const number = started['run'] as number;
  const run = await lab.run(number);
  const [reported] = await status
    .find({ number, rate: { $gt: 0 } })
    .sort({ _id: 1 })
    .limit(1)
    .toArray();
  const { plan, started_processing: begun } = run.bootstrax;
  // The row of 400 MB/s (reference, section 6.3, test vectors).
  expect([plan?.cores, plan?.max_messages, plan?.timeout]).toEqual([15, 18, 2025]);
  const known = reported!['time'] as Date;
  expect(known.getTime() - run.start.getTime()).toBeGreaterThan(8000);
  expect(begun!.getTime() - known.getTime()).toBeLessThan(500);
  await taking;
  await lab.reached(number, ['done']);
});
