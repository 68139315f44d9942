import { beforeEach, describe, expect, it } from 'vitest';

import { preview } from '../../../../src/features/actions/act.ts';
import { parseRun } from '../../../../src/run/run.pure.ts';
import { concludeUpdate } from '../../../../src/run/run-updates.ts';
import { EB3, failed, outcomeOf, World } from './world.ts';

let world: World;
beforeEach(() => {
  world = new World();
});

const DONE = { state: 'done', host: EB3, time: new Date(0) };

async function requestsOf(run: number) {
  const parsed = parseRun(await world.run(run));
  if (parsed.kind !== 'run') throw new Error('malformed');
  const { isReprocessed, wantedOn } = parsed.run.bootstrax;
  return { isReprocessed, wantedOn };
}

describe('a run that is reprocessed', () => {
  it.each([undefined, 'local', 'slurm'] as const)(
    'says so, and where a person wants it: %s',
    async (on) => {
      await world.insertRun(1, DONE);
      const asked = on === undefined ? {} : { on };
      const target = { kind: 'run', run: 1 } as const;
      const { effect } = await preview(world.tools(), 'reprocess', target, asked);
      expect(effect.includes('on Slurm')).toBe(on === 'slurm');
      expect(effect.includes('on an event builder')).toBe(on === 'local');
      expect(outcomeOf(await world.ask('reprocess', 1, asked))).toBe('done');
      expect(await requestsOf(1)).toEqual({ isReprocessed: true, wantedOn: on });
    },
  );

  it('keeps it through a plain retry, and not through another reprocess', async () => {
    await world.insertRun(1, failed(2));
    await world.ask('reprocess', 1, { on: 'slurm' });
    await world.ask('retry', 1);
    expect(await requestsOf(1)).toEqual({ isReprocessed: true, wantedOn: 'slurm' });
    await world.ask('reprocess', 1);
    expect(await requestsOf(1)).toEqual({ isReprocessed: true });
  });

  it.each([
    ['done', { kind: 'done' }, false],
    ['abandoned', { kind: 'abandoned', reason: null }, false],
    ['failed', { kind: 'failed', reason: 'x', failures: 1, delaySeconds: 60 }, true],
    ['requeued', { kind: 'requeued', reason: 'x', delaySeconds: 60 }, true],
  ] as const)('forgets it only with its end: %s', async (_, conclusion, stays) => {
    await world.insertRun(1, failed(2));
    await world.ask('reprocess', 1, { on: 'slurm' });
    const { _id: id } = (await world.run(1)) as unknown as { _id: never };
    const fence = { id, attempt: 'a', host: EB3 };
    await world.database.runs.updateOne({ _id: id }, concludeUpdate(fence, conclusion));
    expect(await requestsOf(1)).toEqual(stays ? { isReprocessed: true, wantedOn: 'slurm' } : {});
  });
});
