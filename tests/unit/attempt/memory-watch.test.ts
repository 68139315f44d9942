import { expect, it } from 'vitest';

import { MemoryWatch, type WatchedAttempt } from '../../../src/attempt/memory-watch.ts';
import type { Ended } from '../../../src/attempt/outcome.pure.ts';
import { defaultRules } from '../../../src/infra/config/rules.pure.ts';

const GB = 1e9;
const machine = { totalBytes: 100 * GB, availableBytes: 50 * GB };

class Attempt implements WatchedAttempt {
  readonly fence: { attempt: string };
  reach: WatchedAttempt['reach'];
  cause: Ended | null = null;
  constructor(
    id: string,
    public bytes: number,
    how: 'measured' | 'not measured' | 'not begun' = 'measured',
  ) {
    this.fence = { attempt: id };
    const memory = (limitBytes: number) =>
      Promise.resolve(
        how === 'measured' ? { bytes: this.bytes, limitBytes, isOfThisMachine: true } : null,
      );
    this.reach = how === 'not begun' ? null : { memory };
  }
  get ending() {
    return this.cause !== null;
  }
  end(cause: Ended) {
    this.cause = cause;
  }
}

function watch(attempts: Attempt[], availableBytes = machine.availableBytes, slots = 2) {
  const env = {
    slots,
    rules: defaultRules,
    machine: {
      memoryCapacity: () => ({ ...machine, availableBytes }),
    },
    // Each look is called by hand.
    clock: { sleep: () => Promise.resolve() },
  };
  return new MemoryWatch(env, () => attempts);
}

it('looks seldom while nothing can happen soon, and often when it can', async () => {
  expect(await watch([]).look()).toBe(5);
  expect(await watch([new Attempt('a', 1 * GB)]).look()).toBe(5);
  // 2.5 GB below the limit of a slot, taken at 2 GB/s: looked at again after half the time.
  expect(await watch([new Attempt('a', 40 * GB)]).look()).toBeCloseTo(0.625);
  expect(await watch([new Attempt('a', 42.4 * GB)]).look()).toBe(0.2);
  // The machine is closer to its end than the attempt to its limit.
  expect(await watch([new Attempt('a', 1 * GB)], 5 * GB).look()).toBeCloseTo(0.5);
});

it('ends who has too much, once, and nobody else', async () => {
  const attempts = [
    new Attempt('a', 50 * GB),
    new Attempt('b', 10 * GB),
    new Attempt('c', 99 * GB, 'not begun'),
    new Attempt('d', 99 * GB, 'not measured'),
  ];
  const memory = watch(attempts);
  await memory.look();
  const [first, ...others] = attempts;
  expect(first!.cause).toMatchObject({ kind: 'memory_limit', bytes: 50 * GB });
  expect(others.map(({ cause }) => cause)).toEqual([null, null, null]);
  const { cause } = first!;
  await memory.look();
  expect(first!.cause).toBe(cause);
});

it('when the machine is short of memory: the largest, and the next only after it has gone', async () => {
  const attempts = [new Attempt('a', 30 * GB), new Attempt('b', 40 * GB)];
  const memory = watch(attempts, 1 * GB);
  await memory.look();
  expect(attempts.map(({ cause }) => cause?.kind)).toEqual([undefined, 'memory_limit']);
  await memory.look();
  expect(attempts[0]!.cause).toBeNull();
  attempts.pop();
  await memory.look();
  expect(attempts[0]!.cause?.kind).toBe('memory_limit');
});
