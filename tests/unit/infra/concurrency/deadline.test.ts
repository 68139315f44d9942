import { expect, test } from 'vitest';

import { TOO_LATE, within } from '../../../../src/infra/concurrency/deadline.ts';
import { SimulatedClock } from '../../../support/simulated-clock.ts';

test('an answer in time is passed on, and no timer stays behind', async () => {
  const { clock, time } = new SimulatedClock();
  expect(await within(clock, 60, Promise.resolve('in time'))).toBe('in time');
  await expect(within(clock, 60, Promise.reject(new Error('its own')))).rejects.toThrow('its own');
  expect(time.nextSeconds()).toBe(Infinity);
});

test('an answer that comes too late is not waited for, and its error concerns nobody', async () => {
  const world = new SimulatedClock();
  const late = world.clock.sleep(5).then(() => {
    throw new Error('too late to matter');
  });
  const answer = within(world.clock, 2, late);
  await world.pass(10);
  expect(await answer).toBe(TOO_LATE);
});

test('whoever ends the wait does not wait for the time', async () => {
  const { clock } = new SimulatedClock();
  const never = new Promise<never>(() => undefined);
  expect(await within(clock, 3600, never, AbortSignal.abort())).toBe(TOO_LATE);
});
