import { afterAll, beforeAll, expect, test } from 'vitest';

import { Site } from './site.ts';

const EB4 = 'eb4.xenon.local';

let site: Site;

beforeAll(async () => {
  site = await Site.start();
  await site.openNursery();
  await site.makeOutput(EB4);
});
afterAll(() => site.end());

test("straxen's own bootstrax processes a run on the embedded database", async () => {
  const [number] = await site.lab.takeRuns(['--seconds', '2', '--speed', '0']);
  const reference = await site.reference(EB4, { times: { check_on_strax: 0.2, idle_nap: 0.2 } });
  const run = await site.lab.reached(number!, ['done'], 30).catch(async (error: unknown) => {
    throw new Error(`${String(error)}\n${await site.stories()}`);
  });
  expect(run.bootstrax).toMatchObject({ state: 'done', host: EB4 });
  expect(run.bootstrax.n_failures).toBeUndefined();
  await reference.kill();
  expect(run.data.length).toBeGreaterThan(5);
});
