import { expect, test } from 'vitest';

import { comesTrue } from '../../../../src/infra/concurrency/comes-true.ts';
import { SimulatedClock } from '../../../support/simulated-clock.ts';

test('a condition that is true is found so without a wait, also within no time', async () => {
  const { clock } = new SimulatedClock();
  expect(await comesTrue(clock, { withinSeconds: 0, everySeconds: 1 }, () => true)).toBe(true);
});

test('a condition that comes true in time is found so, and one that does not is given up', async () => {
  const simulated = new SimulatedClock();
  const { clock } = simulated;
  const trueAfter = async (seconds: number) => {
    const at = clock.monotonicSeconds() + seconds;
    const answer = comesTrue(
      clock,
      { withinSeconds: 3, everySeconds: 0.5 },
      () => clock.monotonicSeconds() >= at,
    );
    await simulated.pass(10);
    return answer;
  };
  expect(await trueAfter(2)).toBe(true);
  expect(await trueAfter(5)).toBe(false);
});
