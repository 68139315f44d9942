import fc from 'fast-check';
import { expect, test } from 'vitest';

import { TaskGroup } from '../../../../src/infra/concurrency/task-group.ts';
import { SimulatedClock } from '../../../support/simulated-clock.ts';

/** When each task begins and how long it takes, ms; some fail, and some begin another one at their end. */
const tasks = fc.array(
  fc.record({
    at: fc.nat({ max: 100 }),
    takes: fc.nat({ max: 100 }),
    fails: fc.boolean(),
    begins: fc.boolean(),
  }),
  { maxLength: 20 },
);

test('the first error of any task ends the group with that error, once, and nothing is begun after it', async () => {
  await fc.assert(
    fc.asyncProperty(tasks, async (wanted) => {
      const world = new SimulatedClock();
      const group = new TaskGroup(world.clock);
      const thrown: Error[] = [];
      const begunAfter: string[] = [];
      let aborted = 0;
      group.signal.addEventListener('abort', () => aborted++);
      const errors: unknown[] = [];
      const main = group.guard(() => new Promise<never>(() => undefined));
      const guarded = main.catch((error: unknown) => errors.push(error));
      for (const { at, takes, fails } of wanted) {
        world.time.after(at / 1000, () =>
          group.start('a task', async () => {
            if (group.hasFailed) begunAfter.push('a task');
            await world.clock.sleep(takes / 1000);
            if (!fails) return;
            const error = new Error(`error ${thrown.length}`);
            thrown.push(error);
            throw error;
          }),
        );
      }
      await world.pass(1);
      expect(group.hasFailed).toBe(thrown.length > 0);
      expect(aborted).toBe(thrown.length > 0 ? 1 : 0);
      expect(begunAfter).toEqual([]);
      if (thrown.length === 0) return;
      await guarded;
      expect(errors).toEqual([thrown[0]]);
    }),
  );
});

test('closing waits for every task, also for those that a task begins at its end', async () => {
  await fc.assert(
    fc.asyncProperty(tasks, async (wanted) => {
      const world = new SimulatedClock();
      const group = new TaskGroup(world.clock);
      let underWay = 0;
      const task = async (takes: number, begins: boolean): Promise<void> => {
        underWay++;
        await world.clock.sleep(takes / 1000);
        if (begins) group.start('another task', () => task(takes, false));
        underWay--;
      };
      for (const { takes, begins } of wanted) group.start('a task', () => task(takes, begins));
      let isClosed = false;
      const closed = group.close(3600).then((left) => {
        expect(underWay).toBe(0);
        isClosed = true;
        return left;
      });
      await world.pass(1);
      expect(isClosed).toBe(true);
      expect(await closed).toEqual([]);
    }),
  );
});

test('a group that is closed in vain names the tasks that go on', async () => {
  const world = new SimulatedClock();
  const group = new TaskGroup(world.clock);
  group.start('a write that never ends', () => new Promise(() => undefined));
  group.start('a short one', () => world.clock.sleep(1));
  const closed = group.close(2);
  await world.pass(3);
  expect(await closed).toEqual(['a write that never ends']);
});

test('the answer of the main work is passed on while nothing fails', async () => {
  const group = new TaskGroup(new SimulatedClock().clock);
  expect(await group.guard(() => Promise.resolve(7))).toBe(7);
});

test('work at an interval is begun at each interval although a round is slow, and not after it is stopped', async () => {
  const world = new SimulatedClock();
  const group = new TaskGroup(world.clock);
  const begunAt: number[] = [];
  const periodic = group.every({ name: 'a slow round', seconds: 10 }, async () => {
    begunAt.push(world.time.seconds);
    await world.clock.sleep(25);
  });
  await world.pass(35);
  periodic.stop();
  await world.pass(100);
  expect(begunAt).toEqual([10, 20, 30]);
  expect(await group.close(0)).toEqual([]);
});

test('an error of work at an interval ends the group, and with it the interval', async () => {
  const world = new SimulatedClock();
  const group = new TaskGroup(world.clock);
  let rounds = 0;
  group.every({ name: 'a round', seconds: 1 }, () => {
    if (++rounds === 3) throw new Error('the third round');
  });
  const guarded = group.guard(() => new Promise(() => undefined));
  const failing = expect(guarded).rejects.toThrow('the third round');
  await world.pass(60);
  await failing;
  expect(rounds).toBe(3);
});

test('work on a beat is done when the wall clock shows a multiple of the interval', async () => {
  const world = new SimulatedClock();
  await world.pass(4);
  const group = new TaskGroup(world.clock);
  const begunAt: number[] = [];
  group.onBeat({ name: 'a beat', seconds: 10 }, () => {
    begunAt.push(world.time.seconds);
  });
  await world.pass(30);
  expect(begunAt).toEqual([10, 20, 30]);
});
