import { expect } from 'vitest';

import { newAttemptId } from '../../../src/attempt/files/attempt-directory.ts';
import { keepFolderRecord, recordFor } from '../../../src/exclusion/state-folder.ts';
import { until } from '../../support/lab.ts';
import type { Trial } from './trial.ts';
import { taken, type Way } from './ways.ts';

/** Cuts in what makes a manager that of its host. */

export const unmarked: Way = async (trial, cut) => {
  await documentsOfHosts(trial).deleteOne({ _id: 'identity' });
  await taken(trial, cut);
};

/** Its document has an id of its own. */
export const afterRelease010: Way = async (trial, cut) => {
  const old = { _id: `old ${trial.host}`, host: trial.host, state: 'idle', pid: 1 };
  await documentsOfHosts(trial).insertOne({ ...old, time: new Date(0) });
  await taken(trial, cut);
};

export async function shownOnce(trial: Trial): Promise<void> {
  await until('one document to be left of the host', async () => {
    return (await documentsOfHosts(trial).countDocuments({ host: trial.host })) === 1;
  });
}

function documentsOfHosts({ lab }: Trial) {
  return lab.runsDatabase.collection<{ _id: string; [field: string]: unknown }>('bootstrax');
}

/** What the databases know of it is of its old name. */
export const renamed: Way = async (trial, cut) => {
  const host = oldNameOf(trial);
  const machine = { id: null, name: 'old' };
  await keepFolderRecord(trial.stateDir, await recordFor(trial.stateDir, { host, machine }));
  await trial.insert();
  const number = oldRunOf(trial);
  const { lab } = trial;
  const data = [{ type: 'raw_records', host, location: '/old' }];
  await lab.insertRuns({ number, start: new Date(), data, bootstrax: { state: 'done', host } });
  const attempt = { _id: newAttemptId(), run: number, host };
  await lab.runsDatabase.collection<{ _id: string }>('bootstrax_attempts').insertOne(attempt);
  await trial.cutInCommand(['adopt'], cut);
  await trial.succeed(['adopt']);
};

export async function knownByItsNewName(trial: Trial): Promise<void> {
  const { lab, host } = trial;
  const run = await lab.run(oldRunOf(trial));
  expect([run.bootstrax.host, run.data[0]?.['host']]).toEqual([host, host]);
  expect((await lab.attempts.findOne({ run: run.number }))?.host).toBe(host);
  await lab.runs.deleteOne({ number: run.number });
}

function oldNameOf({ number }: Trial): string {
  return `old${number}.test.local`;
}

function oldRunOf({ number }: Trial): number {
  return number + 10_000;
}
