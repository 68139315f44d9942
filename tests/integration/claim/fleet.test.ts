import { afterAll, beforeAll, expect, test } from 'vitest';

import { Lab, until } from '../../support/lab.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start();
});
afterAll(() => lab.end());

test('two hosts share twenty runs, each processed once; a third manager takes over from the first', async () => {
  const hosts = ['one.test.local', 'two.test.local'];
  const [first, second] = await Promise.all(hosts.map((host) => lab.manager({ host })));
  await Promise.all([first!.event('worker.ready'), second!.event('worker.ready')]);
  const numbers = await lab.takeRuns([
    ...['--runs', '20', '--seconds', '2', '--chunk-seconds', '1', '--speed', '0', '--rate', '5'],
  ]);
  expect(numbers).toHaveLength(20);
  await lab.reached(numbers[10]!, ['done', 'busy', 'considering', 'null']);
  const third = await lab.manager({ host: 'one.test.local' });
  await third.event('manager.replaced');
  expect(await first!.exited).toBe(0);
  for (const number of numbers) {
    const run = await lab.reached(number, ['done']);
    expect(run.bootstrax.n_failures ?? 0).toBe(0);
  }
  const history = await lab.attempts.find({ run: { $in: numbers } }).toArray();
  const done = history.filter((attempt) => attempt['result']?.outcome === 'done');
  expect(done.map((attempt) => attempt['run']).sort((a, b) => a - b)).toEqual(
    [...numbers].sort((a, b) => a - b),
  );
  expect(new Set(done.map((attempt) => attempt['host'])).size).toBe(2);
  await until('both hosts to be idle', async () => {
    const states = await lab.runsDatabase
      .collection('bootstrax')
      .find({ host: { $exists: true } })
      .toArray();
    return states.length === 2 && states.every((host) => host['state'] === 'idle');
  });
});
