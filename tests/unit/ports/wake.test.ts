import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';

import { Bell } from '../../../src/ports/wake.ts';
import { systemClock } from '../../../src/infra/clock/clock.ts';

const LONG = 3600;

test('a ring wakes who waits, and a ring before the wait is not lost', async () => {
  const bell = new Bell(systemClock);
  const { signal } = new AbortController();
  const waiting = bell.wait(LONG, signal);
  bell.ring();
  await waiting;
  bell.ring();
  await bell.wait(LONG, signal);
});

test('the end of the manager wakes as well, and no listener stays behind', async () => {
  const bell = new Bell(systemClock);
  const ends = new AbortController();
  for (let i = 0; i < 100; i++) {
    bell.ring();
    await bell.wait(LONG, ends.signal);
    const waiting = bell.wait(LONG, ends.signal);
    bell.ring();
    await waiting;
  }
  expect(getEventListeners(ends.signal, 'abort')).toHaveLength(0);
  const waiting = bell.wait(LONG, ends.signal);
  ends.abort();
  await waiting;
  await bell.wait(LONG, ends.signal);
});
