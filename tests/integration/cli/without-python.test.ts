import { afterAll, beforeAll, expect, test } from 'vitest';

import { Lab } from '../../support/lab.ts';
import { lastJson } from './bundle.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start();
});
afterAll(() => lab.end());

test.each([
  [['fail', '7', 'not', 'good'], { state: 'failed', n_failures: 1 }],
  [['retry', '7'], { state: 'failed', n_failures: 0 }],
  [['abandon', '7', 'not', 'wanted'], { state: 'abandoned' }],
])('%j needs neither Python nor a context', async (words, expected) => {
  await lab.runs.deleteMany({});
  await lab.insertRuns({
    number: 7,
    mode: 'tpc_bkg',
    detectors: ['tpc'],
    start: new Date(),
    end: new Date(),
    daq_config: { processing_threads: { reader0: 2 } },
    data: [{ type: 'live', host: 'daq', location: lab.live }],
    bootstrax: { state: 'failed', host: 'b.test.local', time: new Date(), n_failures: 0 },
  });
  const { code, stdout, stderr } = await lab.command([...words, '--json'], {
    context: 'no.such.module:context',
    env: { BOOTSTRAX_PYTHON: '/no/such/python' },
  });
  expect(code, stderr).toBe(0);
  expect(lastJson(stdout)).toMatchObject({ run: 7, ok: true });
  expect((await lab.run(7)).bootstrax).toMatchObject(expected);
});
