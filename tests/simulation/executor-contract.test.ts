import { describe } from 'vitest';

import type { Plan } from '../../src/attempt/attempt.pure.ts';
import { type ContractStage, keepsTheContract } from '../support/executor-contract.ts';
import type { Task } from './child.ts';
import { SimulatedExecutor } from './executor.ts';
import { SimulatedHost } from './host.ts';
import { Link } from './link.ts';
import { Process } from './process.ts';
import { Random } from './random.ts';
import { createDatabase } from './store/index.ts';
import { Time } from './time.ts';

const STATE = '/state';
const LONGEST_SECONDS = 1000;
const TASK: Omit<Task, 'behaviour'> = {
  ...{ seconds: 60, lacks: () => ({ unreadable: 0, missing: 0 }), stubborn: false },
  ...{ startMs: 0, endMs: () => 1000 },
};

function open(seed: number): Promise<ContractStage> {
  const time = new Time();
  const random = new Random(seed);
  const hanging = new Set<string>();
  const ignore = () => undefined;
  const link = new Link(
    { time, random, database: createDatabase(() => time.nowMs), carriedOut: ignore },
    'here',
  );
  const host = new SimulatedHost(
    'here',
    {
      ...{ time, random, liveDataThere: () => true, tell: ignore, onPower: ignore },
      ...{ attemptStarted: ignore, childEnded: ignore, killed: ignore, removes: ignore },
      taskOf: ({ attempt }) => ({
        ...TASK,
        behaviour: { kind: hanging.has(attempt) ? 'hang' : 'well' },
      }),
      violated: (invariant, what) => {
        throw new Error(`${invariant}: ${what}`);
      },
      writersOf: () => [],
    },
    link,
  );
  const executor = new SimulatedExecutor(host, new Process(time), 2);
  executor.next = 'started';
  /** Time passes only here. */
  const passUntil = async (what: string, condition: () => boolean) => {
    const limit = time.seconds + LONGEST_SECONDS;
    while (!condition()) {
      if (time.seconds > limit) throw new Error(`never: ${what}`);
      time.after(1, ignore);
      await time.step();
    }
  };
  const wait = async <T>(what: Promise<T>): Promise<T> => {
    let settled = false;
    const noted = what.finally(() => (settled = true));
    noted.catch(ignore);
    await new Promise(setImmediate);
    await passUntil('an answer', () => settled);
    return noted;
  };
  return Promise.resolve({
    executor,
    attempt: (does) => {
      const id = random.hex(24);
      if (does === 'hangs') hanging.add(id);
      const { folder, force } = host.disk.folder(id, STATE);
      force();
      const plan = { attempt: id, run: 7, runId: '000007', host: 'here', targets: [] };
      return Promise.resolve({
        plan: plan as unknown as Plan,
        directory: `${STATE}/attempts/${id}`,
        started: async () => {
          await passUntil('started.json', () => folder.started !== null);
          return folder.started!;
        },
      });
    },
    answered: (kind, { plan, directory }) => {
      executor.next = kind;
      return wait(executor.start(plan, directory));
    },
    wait,
    until: passUntil,
  });
}

/** It answers by chance: at once or late, and begins or does not. */
describe.each([1, 2, 3, 4, 5, 6, 7, 8])('the executor of the simulation, seed %i', (seed) => {
  keepsTheContract(() => open(seed));
});
