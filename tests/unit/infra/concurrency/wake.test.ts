import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { expect, test } from 'vitest';

import { systemClock } from '../../../../src/infra/clock/clock.ts';
import { Wake } from '../../../../src/infra/concurrency/wake.ts';
import { SimulatedClock } from '../../../support/simulated-clock.ts';

const LONG = 3600;

test('a notice wakes who waits, and a notice before the wait is not lost', async () => {
  const wake = new Wake(systemClock);
  const { signal } = new AbortController();
  const waiting = wake.wait(LONG, signal);
  wake.notify();
  await waiting;
  wake.notify();
  await wake.wait(LONG, signal);
});

test('the end of the manager wakes as well, and no listener stays behind', async () => {
  const wake = new Wake(systemClock);
  const ends = new AbortController();
  for (let i = 0; i < 100; i++) {
    wake.notify();
    await wake.wait(LONG, ends.signal);
    const waiting = wake.wait(LONG, ends.signal);
    wake.notify();
    await waiting;
  }
  expect(getEventListeners(ends.signal, 'abort')).toHaveLength(0);
  const waiting = wake.wait(LONG, ends.signal);
  ends.abort();
  await waiting;
  await wake.wait(LONG, ends.signal);
});

test('a wait without a time of its own ends at a notice only', async () => {
  const world = new SimulatedClock();
  const wake = new Wake(world.clock);
  const { signal } = new AbortController();
  let isOver = false;
  const waiting = wake.wait(Infinity, signal).finally(() => (isOver = true));
  await world.pass(1e9);
  expect(isOver).toBe(false);
  wake.notify();
  expect(await waiting).toBe(true);
});

test('two waiters of one wake would take notices from each other, and are refused', async () => {
  const wake = new Wake(systemClock);
  const { signal } = new AbortController();
  const first = wake.wait(LONG, signal);
  await expect(wake.wait(LONG, signal)).rejects.toThrow('two wait');
  wake.notify();
  await first;
});

test('whatever the order of notices and waits, a reader has read what the last notice was about', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat({ max: 300 }), { maxLength: 30 }), async (pauses) => {
      const world = new SimulatedClock();
      const wake = new Wake(world.clock);
      const ends = new AbortController();
      let written = 0;
      let read = 0;
      const reader = async () => {
        while (!ends.signal.aborted) {
          read = written;
          await world.clock.sleep(0.1);
          await wake.wait(Infinity, ends.signal);
        }
      };
      const reading = reader();
      for (const milliseconds of pauses) {
        await world.pass(milliseconds / 1000);
        written++;
        wake.notify();
      }
      await world.pass(1);
      expect(read).toBe(written);
      ends.abort();
      await world.pass(1);
      await reading;
    }),
  );
});
