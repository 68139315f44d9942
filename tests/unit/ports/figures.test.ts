import { ObjectId } from 'mongodb';
import { describe, expect, it } from 'vitest';

import { ManagerFigures } from '../../../src/ports/figures.ts';
import type { Store } from '../../../src/ports/store.ts';
import type { Fenced, RunStore } from '../../../src/run/run.port.ts';

const FENCE = { id: new ObjectId(), attempt: 'a'.repeat(24), host: 'a.lab' };

function storeThatAnswers(answer: Fenced): Pick<Store, 'runs'> {
  const write = () => Promise.resolve(answer);
  const runs = {
    markBusy: write,
    heartbeat: write,
    unregisterData: write,
    conclude: () => Promise.resolve({ kind: answer }),
    claim: () => Promise.resolve('lost'),
  };
  return { runs: runs as unknown as RunStore };
}

async function writeAll({ runs }: Pick<Store, 'runs'>): Promise<unknown[]> {
  return Promise.all([
    runs.markBusy(FENCE, {} as never),
    runs.heartbeat(FENCE, 'busy', null),
    runs.unregisterData(FENCE, []),
    runs.conclude(FENCE, { kind: 'done' }),
    runs.claim({} as never, { attempt: FENCE.attempt, host: FENCE.host }),
  ]);
}

describe('what a manager counts', () => {
  it('are writes to runs that were no longer its own, and no lost races for a claim', async () => {
    const figures = new ManagerFigures();
    const landed = await writeAll(figures.counting(storeThatAnswers('landed')));
    expect(landed[3]).toEqual({ kind: 'landed' });
    expect(figures.told()).toMatchObject({ refused_writes: 0 });
    const refused = await writeAll(figures.counting(storeThatAnswers('superseded')));
    expect(refused[1]).toBe('superseded');
    expect(figures.told()).toMatchObject({ refused_writes: 4 });
  });

  it('are the calls of each database, their time, and those without an answer', () => {
    const figures = new ManagerFigures();
    const call = (database: 'runs' | 'daq', seconds: number, answered = true) =>
      figures.onStoreEvent({ kind: 'called', database, seconds, answered });
    call('runs', 0.25);
    call('runs', 10.0004, false);
    call('daq', 0.5);
    figures.onStoreEvent({ kind: 'connection', database: 'runs', up: false, reason: null });
    expect(figures.told()['database']).toEqual({
      runs: { calls: 2, seconds: 10.25, unanswered: 1 },
      daq: { calls: 1, seconds: 0.5, unanswered: 0 },
    });
  });
});
