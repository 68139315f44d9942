import type { Document } from 'mongodb';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { config, doneOnce } from '../../../faults/support.ts';
import { Lab, type ManagerProcess, until } from '../../../support/lab.ts';
import { type Loss, Proxy } from '../../../support/proxy.ts';

/** Named by nobody, retried by nobody, and those that a server should never give. */
const CODES = [
  ...[1, 2, 8, 9, 14, 20, 72, 91, 96, 112, 166, 246, 249, 276, 286, 365, 373, 462, 11600, 51075],
];
const TAKE = ['--seconds', '2', '--speed', '0', '--rate', '1'];
/** A claim may land unknown to the manager: both answers, to it and to the question after it, are errors. */
const SHORT_LEASES = config({ limits: { consideringLeaseSeconds: 5, housekeepingSeconds: 1 } });
/**
 * Of each kind of command so many are answered so before the server is well again: finds more often than
 * the ones that come at the same time are asked again at once.
 */
const TIMES = { find: 9, update: 3, insert: 3, aggregate: 3 };

let lab: Lab;
let proxy: Proxy;
let manager: ManagerProcess;
beforeAll(async () => {
  lab = await Lab.start();
  proxy = await Proxy.to(lab.url);
  const env = { BOOTSTRAX_MONGO_URL: proxy.url };
  manager = await lab.manager({ config: SHORT_LEASES, env });
  // Its own start waits longer from answer to answer.
  await manager.event('manager.ready');
});
afterAll(async () => {
  await lab.end();
  await proxy.close();
});

const commandTo = (name: string) => (command: Document) =>
  command[name] !== undefined && !/^(admin|local)$/.test(String(command['$db']));

test('20 error codes at finds, updates and inserts end no manager, and every run is done once', async () => {
  const numbers: number[] = [];
  const inserts: Loss[] = [];
  for (const [i, code] of CODES.entries()) {
    const error = { ok: 0, errmsg: `simulated ${code}`, code, codeName: `Code${code}` };
    // A write is answered so after it was carried out, or instead.
    const [find, update, insert] = Object.entries(TIMES).map(([name, times]) =>
      proxy.answerWith(commandTo(name), error, { times, carriedOut: i % 2 === 0 }),
    );
    inserts.push(insert!);
    // To be claimed, which is an update.
    numbers.push(...(await lab.takeRuns(TAKE)));
    await until(`finds and updates to be answered with ${code}`, () => {
      expect(manager.child.exitCode, manager.story()).toBeNull();
      return find!.happened === TIMES.find && update!.happened > 0;
    });
  }
  for (const number of numbers) await doneOnce(lab, number);
  await until('inserts to be answered with each code', () =>
    inserts.every(({ happened }) => happened > 0),
  );
  expect(numbers.length).toBe(CODES.length);
  expect(manager.child.exitCode).toBeNull();
  expect(manager.lines.filter(({ event }) => event === 'manager.crashed')).toEqual([]);
});
