import { beforeEach, expect, it } from 'vitest';

import { preview } from '../../../../src/features/actions/act.ts';
import { parseRun } from '../../../../src/run/run.pure.ts';
import { EB3, failed, outcomeOf, World } from './world.ts';

let world: World;
beforeEach(() => {
  world = new World();
});

const DONE = { state: 'done', host: EB3, time: new Date(0) };

it('a run that is reprocessed and keeps its products says so, and nobody is asked', async () => {
  await world.insertRun(1, DONE);
  const look = await preview(world.tools(), 'reprocess', { kind: 'run', run: 1 }, { keep: true });
  expect(look).toMatchObject({ possible: true, deletes: false });
  expect(look.effect).toMatch(
    /products on eb3\.lab stay until the new ones are there.*twice the disk/,
  );
  expect(outcomeOf(await world.ask('reprocess', 1, { keep: true }))).toBe('done');
  expect(await world.bootstrax(1)).toMatchObject({ state: 'failed', keep_products: true });
  expect(parseRun(await world.run(1))).toMatchObject({
    run: { bootstrax: { keepProducts: true } },
  });
});

it('a retry leaves it as it was asked for, and a plain reprocess ends it', async () => {
  await world.insertRun(1, { ...failed(2), keep_products: true });
  await world.ask('retry', 1);
  expect(await world.bootstrax(1)).toMatchObject({ keep_products: true });
  await world.ask('reprocess', 1);
  expect(await world.bootstrax(1)).not.toHaveProperty('keep_products');
});

it('what stands there and is not our word for it keeps nothing', async () => {
  for (const odd of ['yes', 1, null, {}]) {
    await world.insertRun(1, { ...failed(2), keep_products: odd });
    const parsed = parseRun(await world.run(1));
    expect(parsed.kind === 'run' && parsed.run.bootstrax).not.toHaveProperty('keepProducts');
  }
});
