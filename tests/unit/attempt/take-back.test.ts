import { ObjectId } from 'mongodb';
import { describe, expect, it } from 'vitest';

import type { Plan } from '../../../src/attempt/attempt.pure.ts';
import { type Trace, TRACES } from '../../../src/attempt/attempt-phases.pure.ts';
import type { Removal } from '../../../src/attempt/files/removal.ts';
import { type Remains, takeBack, type Undoing } from '../../../src/attempt/take-back.ts';
import type { Environment } from '../../../src/ports/environment.ts';

const PLAN = { attempt: 'a'.repeat(24), run: 5 } as unknown as Plan;
const REMAINS: Remains = {
  ...{ attempt: PLAN.attempt, run: 5, plan: PLAN, ids: [new ObjectId()], documents: [] },
  removal: {} as unknown as Removal,
  ...{ begun: [], isWhole: false, isConcluded: false, end: null },
};
const OF_DATABASE: readonly Trace[] = ['history', 'monitor', 'claim'];

class Stage {
  readonly undone: Trace[] = [];
  readonly ends = new AbortController();
  readonly #env: Environment;

  constructor(readonly onUndo: (trace: Trace) => void = () => undefined) {
    const silent = () => undefined;
    this.#env = {
      log: { debug: silent, info: silent, warn: silent, error: silent },
    } as unknown as Environment;
  }

  takeBack(traces: readonly Trace[], remains = REMAINS) {
    const undo = (trace: Trace) => () => {
      this.undone.push(trace);
      this.onUndo(trace);
      return Promise.resolve(trace === 'folders' ? ['/out/one', '/out/two'] : []);
    };
    const undoing = Object.fromEntries(TRACES.map((trace) => [trace, undo(trace)]));
    return takeBack(
      this.#env,
      undoing as unknown as Undoing,
      { remains, traces },
      this.ends.signal,
    );
  }
}

function diskFails(at: Trace) {
  return (trace: Trace) => {
    if (trace === at) throw Object.assign(new Error('the disk is gone'), { code: 'EIO' });
  };
}

describe('taking back what an attempt has left', () => {
  it('goes through its traces in their own order, and answers the folders removed', async () => {
    const stage = new Stage();
    const answer = await stage.takeBack(['place', 'folders', 'processes', 'entries']);
    expect(stage.undone).toEqual(['processes', 'entries', 'folders', 'place']);
    expect(answer).toEqual({ removed: ['/out/one', '/out/two'], isComplete: true });
  });

  it('touches no disk where nothing of it is on one', async () => {
    const stage = new Stage();
    const answer = await stage.takeBack(TRACES, { ...REMAINS, removal: null });
    expect(stage.undone).toEqual(OF_DATABASE);
    expect(answer).toEqual({ removed: [], isComplete: true });
  });

  it.each(TRACES.filter((trace) => !OF_DATABASE.includes(trace)))(
    'leaves to the next housekeeping what rests on the %s that the disk refuses, but gives back the claim',
    async (broken) => {
      const stage = new Stage(diskFails(broken));
      const answer = await stage.takeBack(TRACES);
      const until = TRACES.indexOf(broken);
      expect(stage.undone).toEqual(
        TRACES.filter((trace, i) => i <= until || OF_DATABASE.includes(trace)),
      );
      expect(answer?.isComplete).toBe(false);
    },
  );

  it.each(TRACES)('goes no further than the %s once the manager ends', async (last) => {
    const stage = new Stage((trace) => {
      if (trace === last) stage.ends.abort();
    });
    expect(await stage.takeBack(TRACES)).toBeNull();
    expect(stage.undone).toEqual(TRACES.slice(0, TRACES.indexOf(last) + 1));
  });

  it('does not hide a mistake of the program', async () => {
    const stage = new Stage(() => {
      throw new Error('a mistake');
    });
    await expect(stage.takeBack(TRACES)).rejects.toThrow('a mistake');
  });
});
