import { test } from 'vitest';

import { expectNothingGoesWrong } from './seeds.ts';

// Two files, so that two workers share the seeds.
test('whatever happens, every run comes to its end and every promise is kept', async () => {
  await expectNothingGoesWrong(1, 2);
}, 3_600_000);
