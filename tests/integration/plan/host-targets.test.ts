import { afterAll, beforeAll, expect, test } from 'vitest';

import { Lab } from '../../support/lab.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start();
});
afterAll(() => lab.end());

const configuration = () => lab.client.db(lab.daqDb).collection('bootstrax_config');
const takeAmBe = async () => {
  const args = ['--mode', 'tpc_ambe', '--seconds', '2', '--speed', '0', '--rate', '1'];
  return (await lab.takeRuns(args))[0]!;
};

test('an AmBe run gets the targets that operators set for this host; without them the usual ones, loudly', async () => {
  await configuration().insertOne({
    name: 'bootstrax_config',
    ambe_modes: { alp: 'low' },
    modes_definitions: { low: { targets: ['raw_records'], post_process: ['raw_records'] } },
  });
  const manager = await lab.manager();
  await manager.event('manager.ready');
  const low = await lab.reached(await takeAmBe(), ['done']);
  expect(low.bootstrax.plan?.targets).toEqual(['raw_records']);

  await configuration().updateOne({}, { $set: { modes_definitions: null } });
  const usual = await lab.reached(await takeAmBe(), ['done']);
  expect(usual.bootstrax.plan?.targets).not.toEqual(['raw_records']);
  await manager.event('host_targets.broken', { run: usual.number });
  const told = await lab.client.db(lab.daqDb).collection('log').findOne({ runid: usual.number });
  expect(told).toMatchObject({
    priority: 3,
    message: expect.stringContaining('modes_definitions is not an object') as string,
  });
});
