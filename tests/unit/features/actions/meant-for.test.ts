import { beforeEach, describe, expect, it } from 'vitest';

import { preview } from '../../../../src/features/actions/act.ts';
import { NO_REASON } from '../../../../src/features/actions/action.ts';
import { parseRun } from '../../../../src/run/run.pure.ts';
import { EB3, failed, outcomeOf, World } from './world.ts';

let world: World;
beforeEach(() => {
  world = new World();
});

const DONE = { state: 'done', host: EB3, time: new Date(0), n_failures: 2 };

describe('a run that is done', () => {
  it.each(['fail', 'retry'] as const)(
    'is not touched by %s, which names what fits',
    async (kind) => {
      await world.insertRun(1, DONE);
      const before = await world.run(1);
      const { action, message } = await world.ask(kind, 1);
      expect(action.state).toBe('refused');
      expect(message).toMatch(/run 1 is done, .*bootstrax reprocess 1/);
      expect(await world.run(1)).toEqual(before);
    },
  );

  it.each(['fail', 'retry'] as const)(
    'is touched by %s only if that is insisted on with a reason',
    async (kind) => {
      await world.insertRun(1, DONE);
      const without = await world.ask(kind, 1, { evenDone: true, reason: NO_REASON });
      expect(without.message).toMatch(/give a reason/);
      expect(outcomeOf(without)).toBe('refused');
      expect(outcomeOf(await world.ask(kind, 1, { evenDone: true }))).toBe('done');
      expect(await world.bootstrax(1)).toMatchObject({ state: 'failed' });
    },
  );

  it.each([
    ['fail', { evenDone: true, hasReason: true }],
    ['retry', { evenDone: true, hasReason: true }],
    ['reprocess', {}],
  ] as const)('is said to lose its products by %s', async (kind, asking) => {
    await world.insertRun(1, DONE);
    const look = await preview(world.tools(), kind, { kind: 'run', run: 1 }, asking);
    expect(look).toMatchObject({ possible: true, deletes: true });
    expect(look.effect).toMatch(/products on eb3\.lab are deleted/);
  });
});

describe('fail', () => {
  it.each([
    ['abandoned', { state: 'abandoned', host: EB3 }, /bootstrax retry 1 brings it back/],
    ['given up', failed(10), /given up already: bootstrax retry 1 --from-start/],
    [
      'set aside',
      { state: 'failed', host: EB3, outcome: 'set_aside' },
      /set aside already: correct/,
    ],
  ])('is refused for a run that is %s, with the verb that fits', async (_, bootstrax, says) => {
    await world.insertRun(1, bootstrax);
    const { action, message } = await world.ask('fail', 1);
    expect(action.state).toBe('refused');
    expect(message).toMatch(says);
  });

  it('counts, and is told apart from the failures of attempts', async () => {
    await world.insertRun(1, failed(1));
    await world.ask('fail', 1);
    await world.ask('fail', 1);
    expect(await world.bootstrax(1)).toMatchObject({ n_failures: 3, asked_failures: [2, 3] });
    const parsed = parseRun(await world.run(1));
    expect(parsed).toMatchObject({
      run: { bootstrax: { failures: 3, askedFailures: [2, 3] } },
    });
  });

  it('is forgotten with all other failures', async () => {
    await world.insertRun(1, { ...failed(3), asked_failures: [2] });
    await world.ask('retry', 1, { fromStart: true });
    expect(await world.bootstrax(1)).not.toHaveProperty('asked_failures');
  });
});
