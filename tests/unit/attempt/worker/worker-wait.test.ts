import { expect, test } from 'vitest';

import { workerIsUp } from '../../../../src/attempt/worker/worker-wait.ts';
import type { Readiness } from '../../../../src/executors/executor.ts';
import { systemClock } from '../../../../src/infra/clock/clock.ts';

/** A worker whose state is set by hand; `timers`: whether the time ever passes. */
function surroundings({ timers = false } = {}) {
  const listeners = new Set<() => void>();
  const state: { up: boolean; ready: Readiness; passTime: () => void } = {
    ...{ up: false, ready: { ok: true }, passTime: () => undefined },
  };
  const env: Parameters<typeof workerIsUp>[0] = {
    executor: {
      ready: () => state.ready,
      startsAtOnce: () => state.up,
      onChange: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    clock: {
      ...systemClock,
      sleep: (_seconds, signal) =>
        new Promise((resolve) => {
          signal?.addEventListener('abort', () => resolve(), { once: true });
          if (timers) state.passTime = resolve;
        }),
    },
  };
  const tell = () => {
    for (const listener of [...listeners]) listener();
  };
  return { env, state, tell, listeners };
}

const never = new AbortController().signal;

test('a run that waits for its worker goes on at the event that the worker is up, without any timer', async () => {
  const { env, state, tell, listeners } = surroundings();
  const waiting = workerIsUp(env, never);
  state.up = true;
  tell();
  expect(await waiting).toEqual({ ok: true });
  expect(listeners.size).toBe(0);
});

test('a change that does not make the worker ready is waited out, and one that fails it ends the wait', async () => {
  const { env, state, tell } = surroundings();
  const waiting = workerIsUp(env, never);
  tell();
  await Promise.resolve();
  state.ready = { ok: false, reason: 'it cannot start' };
  tell();
  expect(await waiting).toEqual({ ok: false, reason: 'it cannot start' });
});

test('a worker that takes too long, of which no event tells, ends the wait when it is looked at again', async () => {
  const { env, state } = surroundings({ timers: true });
  const waiting = workerIsUp(env, never);
  state.ready = { ok: false, reason: 'it takes too long' };
  state.passTime();
  expect(await waiting).toEqual({ ok: false, reason: 'it takes too long' });
});

test('an attempt that is to end does not wait for its worker, and leaves no listener', async () => {
  const { env, listeners } = surroundings();
  const stop = new AbortController();
  const waiting = workerIsUp(env, stop.signal);
  stop.abort();
  expect(await waiting).toEqual({ ok: true });
  expect(listeners.size).toBe(0);
});
