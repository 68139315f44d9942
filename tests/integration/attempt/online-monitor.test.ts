import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { Lab, type ManagerChoices, type ManagerProcess, until } from '../../support/lab.ts';
import { smallMachine } from '../../support/small-machine.ts';

const TAKE = ['--seconds', '3', '--chunk-seconds', '1', '--speed', '0', '--rate', '5'];
const PATIENCE_MS = 240_000;

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start({ testCommands: true });
});
afterEach(() => lab.endManagers());
afterAll(() => lab.end());

const start = (choices: ManagerChoices = {}): Promise<ManagerProcess> => lab.manager(choices);

async function takeRun(): Promise<number> {
  const [number] = await lab.takeRuns(TAKE);
  return number!;
}

const monitor = () => lab.runsDatabase.collection('online_monitor');

/** As strax's saver leaves them. */
async function leave(number: number, count: number, label = 'old'): Promise<void> {
  await monitor().insertMany(
    Array.from({ length: count }, (_, chunk_i) => ({
      ...{ number, data_type: 'event_basics', lineage_hash: label, chunk_i },
      data: [{ time: chunk_i }],
    })),
  );
}

const SLOW = smallMachine({ worker: { contextOptions: { sleep_seconds: 600 } } });

// Reference, section 4.3 and #777.
test(
  'what an earlier attempt left is removed before the next, and only of that run',
  async () => {
    const number = await takeRun();
    await leave(number, 450);
    await leave(number + 1000, 3);
    await start();
    await lab.reached(number, ['done']);
    expect(await monitor().countDocuments({ number })).toBe(0);
    expect(await monitor().countDocuments({ number: number + 1000 })).toBe(3);
  },
  PATIENCE_MS,
);

test(
  'what a failed attempt has written is gone when its run is free again',
  async () => {
    const number = await takeRun();
    await start({
      config: smallMachine({
        worker: { contextOptions: { fail_in: 'peaklets', sleep_seconds: 1 } },
        retry: { baseSeconds: 600, uncounted: { firstSeconds: 600, maxSeconds: 600 } },
      }),
    });
    await lab.reached(number, ['busy']);
    await leave(number, 5, 'of this attempt');
    await lab.reached(number, ['failed']);
    expect(await monitor().countDocuments({ number })).toBe(0);
  },
  PATIENCE_MS,
);

test(
  'a run that is abandoned while it is processed leaves nothing',
  async () => {
    const number = await takeRun();
    await start({ config: SLOW });
    await lab.reached(number, ['busy']);
    await leave(number, 5);
    const { code } = await lab.command(['abandon', String(number)]);
    expect(code).toBe(0);
    await until('the documents to be removed', async () => {
      return (await monitor().countDocuments({ number })) === 0;
    });
  },
  PATIENCE_MS,
);

test(
  'what the child of another owner writes is left alone',
  async () => {
    const number = await takeRun();
    const manager = await start({ config: SLOW });
    await lab.reached(number, ['busy']);
    // The reference on another host has taken the run over, and its child writes.
    const bootstrax = { state: 'busy', host: 'other.test.local', time: new Date() };
    await lab.runs.updateOne({ number }, { $set: { bootstrax } as never });
    await leave(number, 5, 'of the other');
    await manager.event('attempt.superseded', { run: number });
    expect(await monitor().countDocuments({ number })).toBe(5);
  },
  PATIENCE_MS,
);

test(
  'an account that may not remove them takes runs all the same, and says so once',
  async () => {
    const UNAUTHORIZED = 13;
    const numbers = await lab.takeRuns(['--runs', '2', ...TAKE]);
    for (const number of numbers) await leave(number, 2);
    await lab.failCommands(['delete'], { times: 'always', code: UNAUTHORIZED });
    await start();
    for (const number of numbers) await lab.reached(number, ['done']);
    await lab.failCommands(['delete'], { times: 0 });
    for (const number of numbers) {
      expect(await monitor().countDocuments({ number })).toBe(2);
    }
    const told = { message: { $regex: 'stay in online_monitor' } };
    const log = lab.client.db(lab.daqDb).collection('log');
    expect(await log.find(told).toArray()).toMatchObject([{ priority: 2 }]);
  },
  PATIENCE_MS,
);

test(
  'it can be switched off',
  async () => {
    const number = await takeRun();
    await leave(number, 2);
    await start({ env: { BOOTSTRAX_WIPE_ONLINE_MONITOR: 'false' } });
    await lab.reached(number, ['done']);
    expect(await monitor().countDocuments({ number })).toBe(2);
  },
  PATIENCE_MS,
);
