import { expect, it } from 'vitest';

import { defaultRules } from '../../../src/infra/config/rules.pure.ts';
import { selectResources } from '../../../src/plan/resources.pure.ts';

it('a forced rate is a site’s choice: without it an AmBe run has the resources of its own rate', () => {
  const facts = {
    rateMBps: 90,
    failures: 0,
    memoryFailures: 0,
    chunkSeconds: 5,
    overlapSeconds: 0.5,
  };
  const rules = { ...defaultRules.resources, forcedRates: [] };
  const ambe = selectResources({ ...facts, mode: 'tpc_ambe_linked' }, 'new', rules);
  expect(ambe).toEqual(selectResources({ ...facts, mode: 'tpc_bkg' }, 'new', rules));
  expect(ambe.cores).toBe(24);
});
