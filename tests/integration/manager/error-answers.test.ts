import type { Document } from 'mongodb';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

import { Lab, type ManagerProcess } from '../../support/lab.ts';
import { Proxy } from '../../support/proxy.ts';
import { config, doneOnce } from '../../faults/support.ts';

vi.setConfig({ testTimeout: 600_000 });

/** Named by nobody, retried by nobody, and those that a server should never give. */
const CODES = [
  ...[1, 2, 8, 9, 14, 20, 72, 91, 96, 112, 166, 246, 249, 276, 286, 365, 373, 462, 11600, 51075],
];
const TAKE = ['--runs', '2', '--seconds', '2', '--speed', '0', '--rate', '1'];
/** Of each kind of command so many are answered so before the server is well again. */
const TIMES = 3;

let lab: Lab;
let proxy: Proxy;
let manager: ManagerProcess;
beforeAll(async () => {
  lab = await Lab.start();
  proxy = await Proxy.to(lab.url);
  manager = await lab.manager({ config: config(), env: { BOOTSTRAX_MONGO_URL: proxy.url } });
  await manager.event('worker.ready');
});
afterAll(async () => {
  await lab.end();
  await proxy.close();
});

const commandTo = (name: string) => (command: Document) =>
  command[name] !== undefined && !/^(admin|local)$/.test(String(command['$db']));

test('20 error codes at finds, updates and inserts end no manager, and every run is done once', async () => {
  const numbers: number[] = [];
  for (const [i, code] of CODES.entries()) {
    const error = { ok: 0, errmsg: `simulated ${code}`, code, codeName: `Code${code}` };
    // A write is answered so after it was carried out, or instead.
    const given = ['find', 'update', 'insert', 'aggregate'].map((name) =>
      proxy.answerWith(commandTo(name), error, { times: TIMES, carriedOut: i % 2 === 0 }),
    );
    if (i % 4 === 0) numbers.push(...(await lab.takeRuns(TAKE)));
    const [find, update] = given;
    await vi.waitUntil(() => find!.happened === TIMES && update!.happened > 0, {
      timeout: 120_000,
    });
  }
  for (const number of numbers) await doneOnce(lab, number);
  expect(numbers.length).toBe(10);
  expect(manager.child.exitCode).toBeNull();
  expect(manager.lines.filter(({ event }) => event === 'manager.crashed')).toEqual([]);
});
