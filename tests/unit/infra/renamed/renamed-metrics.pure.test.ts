import { expect, it } from 'vitest';

import { single } from '../../../../src/infra/metrics/exposition.pure.ts';
import { withFormerNames } from '../../../../src/infra/renamed/renamed-metrics.pure.ts';

it('a renamed metric is sent under both names with the same samples, any other once', () => {
  const renamed = single('gauge', 'bootstrax_host_heartbeat_age_seconds', 'Age.', 5);
  const other = single('gauge', 'bootstrax_reading_complete', 'Complete.', 1);
  expect(withFormerNames([other, renamed])).toEqual([
    other,
    renamed,
    {
      ...renamed,
      name: 'bootstrax_host_life_sign_age_seconds',
      help: 'Former name of bootstrax_host_heartbeat_age_seconds, sent until 0.3.0.',
    },
  ]);
});
