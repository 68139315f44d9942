import { existsSync } from 'node:fs';
import { appendFile, cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect } from 'vitest';

import { newAttemptId } from '../../../src/attempt/files/attempt-directory.ts';
import { until } from '../../support/lab.ts';
import type { Cut, Trial, TrialManager } from './trial.ts';

/** So many, and the reference's table leaves targets out. */
export const DEBT_FAILURES = 3;

/** From the run's beginning to the cut: answers when a process was killed there. */
export type Way = (trial: Trial, cut: Cut) => Promise<void>;

/** So that a manager that outlives a cut elsewhere does not try again before it is restarted. */
const PATIENT = {
  retry: { baseSeconds: 3600, uncounted: { firstSeconds: 3600, maxSeconds: 3600 } },
};
const LIVELY = { limits: { renewSeconds: 0.2 } };

/** Looks often at what others left behind, after short leases. */
export const TIDY: TrialManager = {
  config: {
    limits: {
      renewSeconds: 0.2,
      consideringLeaseSeconds: 0.5,
      busyLeaseSeconds: 0.5,
      housekeepingSeconds: 0.2,
    },
  },
};

/** Ends a child that has written nothing for a few seconds. */
export const IMPATIENT: TrialManager = {
  config: { limits: { maxNoWriteSeconds: 4 } },
};

/** Deletes live data, and looks often at what is left to do. */
export const DELETING: TrialManager = {
  config: {
    limits: { housekeepingSeconds: 0.2 },
    deletion: { liveData: true },
  },
};

/** Looks often for what its done runs lack. */
export const PAYING: TrialManager = {
  config: { limits: { renewSeconds: 0.2, housekeepingSeconds: 0.2 } },
};

const HOUR_MS = 3_600_000;
const LATER = () => new Date(Date.now() + HOUR_MS);

export const taken: Way = async (trial, cut) => {
  await trial.insert();
  await trial.cutIn(await trial.manager({ cut, config: LIVELY }), cut);
};

/** Another host, with the same output folder, finds it silent before it starts again. */
export const takenOver: Way = async (trial, cut) => {
  await taken(trial, cut);
  await doneElsewhere(trial);
};

/** The other host is cut while it takes away what the first had published of its products. */
export const madeRoomElsewhere: Way = async (trial, cut) => {
  await taken(trial, 'place.publish:after#4');
  await trial.cutIn(await trial.manager({ ...TIDY, elsewhere: true, cut }), cut);
  await doneElsewhere(trial);
};

/** The same as `takenOver`, and what the host has started goes on all the time. */
export const takenOverFromAChild: Way = async (trial, cut) => {
  await trial.cutIn(await busyWithFolders(trial, cut), cut);
  const { attempt } = (await trial.run()).bootstrax;
  await doneElsewhere(trial);
  // Nobody else takes away what it writes.
  expect(await readdir(trial.staging)).toContain(attempt);
};

async function doneElsewhere(trial: Trial): Promise<void> {
  const heir = await trial.manager({ ...TIDY, elsewhere: true });
  await trial.lab.reached(trial.number, ['done']);
  // Where the host itself had done it, this one has seen that there is nothing to do.
  await heir.event('manager.ready');
}

export const inTheWorker: Way = async (trial, cut) => {
  await trial.insert();
  const manager = await trial.manager({ cut, config: PATIENT });
  await trial.cutInWorker(manager, cut);
  await manager.kill();
};

/** Before it takes attempts: each one that is started dies there, until a manager comes without the cut. */
export const inTheServer: Way = async (trial, cut) => {
  await trial.insert();
  const manager = await trial.manager({ cut, config: PATIENT });
  await trial.cutInServer(cut);
  await manager.kill();
};

/** The next manager would make another one. */
export const inTheServerThatRetires: Way = async (trial, cut) => {
  await trial.insert();
  const first = await trial.manager({ cut, config: PATIENT, contextOptions: { sleep_seconds: 0 } });
  await first.event('worker.ready');
  await first.kill();
  const next = await trial.manager();
  await trial.cutInServer(cut);
  await next.kill();
};

export const afterADeadServer: Way = async (trial, cut) => {
  await trial.insert();
  const first = await trial.manager({ config: PATIENT });
  await first.event('worker.ready');
  await first.kill();
  await trial.lab.endWorkers(trial.host);
  await trial.cutIn(await trial.manager({ cut }), cut);
};

/** An earlier attempt on this host has left products, half removed, with an entry in the document. */
export const withLeftovers: Way = async (trial, cut) => {
  const folder = join(trial.lab.output, `${trial.runId}-records-oldhash`);
  for (const path of [folder, `${folder}_temp`]) {
    await mkdir(path);
    await writeFile(join(path, 'records-oldhash-000000'), 'old');
  }
  const entry = { type: 'records', host: trial.host, location: folder, meta: { lineage: {} } };
  await trial.insert({
    data: [...trial.lane.liveEntries, { ...entry, protocol: 'FileSytemBackend' }],
    bootstrax: failedBefore(trial, 1, new Date(0)),
  });
  await trial.cutIn(await trial.manager({ cut }), cut);
};

/** A removal by release 0.1.1 was cut, and has set aside a folder that is of another run document. */
export const anothersSetAside: Way = async (trial, cut) => {
  const folder = `${anothers(trial)}0removed0123456789abz_temp`;
  await mkdir(folder);
  const bootstrax = { attempt: newAttemptId(), document: 'another', host: trial.host };
  await writeFile(
    join(folder, 'records-oldhash-metadata.json'),
    JSON.stringify({ chunks: [], bootstrax }),
  );
  await trial.insert({ bootstrax: failedBefore(trial, 1, new Date(0)) });
  await trial.cutIn(await trial.manager({ cut }), cut);
};

/** It has its name again, and a person takes it out of the way. */
export async function anothersMovedAway(trial: Trial): Promise<void> {
  const folder = anothers(trial);
  await until('the folder of another to have its name again', () => existsSync(folder));
  await rm(folder, { recursive: true });
}

function anothers(trial: Trial): string {
  return join(trial.lab.output, `${trial.runId}-records-oldhash`);
}

/** An earlier attempt has left documents for online displays. */
export const monitored: Way = async (trial, cut) => {
  const document = { number: trial.number, data_type: 'event_basics', lineage_hash: 'oldhash' };
  await trial.lab.runsDatabase
    .collection('online_monitor')
    .insertMany([0, 1, 2].map((chunk_i) => ({ ...document, chunk_i, data: [] })));
  await trial.insert();
  await trial.cutIn(await trial.manager({ cut }), cut);
};

export async function unmonitored(trial: Trial): Promise<void> {
  const left = { number: trial.number };
  await until('the documents of the earlier attempt to be gone', async () => {
    return (await trial.lab.runsDatabase.collection('online_monitor').countDocuments(left)) === 0;
  });
}

/** A host that sent its last heartbeat long ago. */
export const silentElsewhere: Way = async (trial, cut) => {
  const host = silentHost(trial);
  const time = new Date(Date.now() - 3_600_000);
  await trial.lab.client
    .db(trial.lab.daqDb)
    .collection('eb_monitor')
    .insertOne({ host, time, pid: 1, state: 'idle', production_mode: true });
  await trial.insert();
  await trial.cutIn(await trial.manager({ ...watching(trial), cut }), cut);
  const restarted = await trial.manager(watching(trial));
  await until(`${host} to be marked`, async () => {
    const signs = trial.lab.client.db(trial.lab.daqDb).collection('eb_monitor');
    return (await signs.findOne({ host }))?.['state'] === 'dead_bootstrax';
  });
  await restarted.kill();
};

function silentHost({ number }: Trial): string {
  return `silent${number}.test.local`;
}

function watching(trial: Trial): TrialManager {
  return {
    config: {
      limits: { renewSeconds: 0.2, housekeepingSeconds: 0.2 },
      host: { watched: [silentHost(trial)] },
    },
  };
}

/** Where its time goes is written down when it ends. */
export const profiled: Way = async (trial, cut) => {
  await trial.insert();
  const manager = await trial.manager({
    cut,
    config: { ...PATIENT, worker: { profile: 'trial' } },
  });
  await trial.cutInWorker(manager, cut);
  await manager.kill();
};

export const straxFails: Way = async (trial, cut) => {
  await trial.insert();
  const manager = await trial.manager({ cut, contextOptions: { fail_in: 'peaklets' } });
  await trial.cutIn(manager, cut);
};

/** Somebody else writes to a busy run that has its first folders, as the reference program would. */
export const takenAway: Way = async (trial, cut) => {
  const manager = await busyWithFolders(trial, cut);
  await trial.set({
    bootstrax: { ...failedBefore(trial, 0, LATER()), host: 'other.test.local' },
  });
  await trial.cutIn(manager, cut);
};

/** What had its place in the output folder by then is in the way of whoever has the run now. */
export const takenWhilePublished: Way = async (trial, cut) => {
  const first = 'place.publish:after#2';
  await trial.insert();
  await trial.cutIn(await trial.manager({ cut: first }), first);
  await trial.set({
    bootstrax: { ...failedBefore(trial, 0, LATER()), host: 'other.test.local' },
  });
  await trial.cutIn(await trial.manager({ cut }), cut);
};

export const stoppedByOperator: Way = async (trial, cut) => {
  const manager = await busyWithFolders(trial, cut);
  // The manager may be gone before it has answered.
  await trial.lab.command(['stop', '--children'], { host: trial.host });
  await trial.cutIn(manager, cut);
};

/** In the middle of a run the host is to be left to another program. */
export const handedBack: Way = async (trial, cut) => {
  const manager = await busyWithFolders(trial, cut);
  await trial.lab.command(['handback', '--end-children'], { host: trial.host });
  await trial.cutIn(manager, cut);
};

/** The attempt loses its run, and its host is not told by whom. */
export const failedByPerson: Way = async (trial, cut) => {
  const manager = await busyWithFolders(trial);
  await trial.cutInCommand(['fail', String(trial.number), 'bad', 'data'], cut);
  await manager.kill();
};

export const acknowledged: Way = async (trial, cut) => {
  await trial.insert();
  await trial.cutInCommand(['acknowledge', 'failure:KeyError', 'see', 'the', 'log book'], cut);
};

/** No runs are wanted on this host, and then they are. */
export const drained: Way = async (trial, cut) => {
  await trial.insert();
  const cutIn = cut.startsWith('drained.remove') ? 'undrain' : 'drain';
  if (cutIn === 'undrain') await trial.succeed(['drain']);
  await trial.cutInCommand([cutIn], cut);
  await trial.succeed(['undrain']);
};

/** A run waits, and a shadow says what it would do with it. */
export const lookedOn: Way = async (trial, cut) => {
  await trial.insert();
  await trial.cutInCommand(['run', '--shadow'], cut);
};

/** A server is tried in a database of its own. */
export const contractTried: Way = async (trial, cut) => {
  await trial.insert();
  const { client, url } = trial.lab;
  await trial.cutInCommand(['doctor', '--contract', url], cut);
  // It is left to people: its name says what it is.
  const { databases } = await client.db('admin').admin().listDatabases({ nameOnly: true });
  for (const { name } of databases) {
    if (name.startsWith('bootstrax_contract_')) await client.db(name).dropDatabase();
  }
};

export const taggedToBeAbandoned: Way = async (trial, cut) => {
  const manager = await busyWithFolders(trial, cut);
  await trial.set({ tags: [{ name: 'abandon', user: 'somebody', date: new Date() }] });
  await trial.cutIn(manager, cut);
};

export async function takenUpAgain(trial: Trial): Promise<void> {
  await until('the run to be abandoned', async () => {
    return (await trial.run()).bootstrax.state === 'abandoned';
  });
  await trial.set({ tags: [] });
  await trial.succeed(['retry', String(trial.number)]);
}

/** The live data does not reach to the end of the run, for the tenth time. */
export const fails10Times: Way = async (trial, cut) => {
  await trial.insert({ bootstrax: failedBefore(trial, 9, new Date(0)) });
  await moveEnd(trial, HOUR_MS);
  await trial.cutIn(await trial.manager({ cut }), cut);
};

export async function begunAnew(trial: Trial): Promise<void> {
  await until('the run to be given up', async () => {
    return (await trial.run()).bootstrax.outcome === 'given_up';
  });
  await moveEnd(trial, -HOUR_MS);
  await trial.succeed(['retry', '--from-start', String(trial.number)]);
}

async function moveEnd(trial: Trial, ms: number): Promise<void> {
  const { end } = await trial.run();
  await trial.set({ end: new Date(end!.getTime() + ms) });
}

/** A child that is alive but does nothing any more is ended. */
export const hangs: Way = async (trial, cut) => {
  await trial.insert();
  const manager = await trial.manager({
    ...IMPATIENT,
    cut,
    contextOptions: { sleep_seconds: 3600 },
  });
  await trial.cutIn(manager, cut);
};

/** Something in the child prints more than anybody wants to keep. */
export const wordy: Way = async (trial, cut) => {
  await trial.insert();
  const manager = await trial.manager({ cut, contextOptions: { sleep_seconds: 2 } });
  const attempt = await until('the run to be busy', async () => {
    const fields = (await trial.run()).bootstrax;
    return fields.state === 'busy' ? fields.attempt : null;
  });
  const line = `${'so on and '.repeat(100)}\n`;
  await appendFile(join(trial.attemptsDir, attempt, 'log.txt'), line.repeat(40_000));
  await trial.cutIn(manager, cut);
};

export const leavesSharedMemory: Way = async (trial, cut) => {
  await trial.insert();
  const manager = await trial.manager({ cut, contextOptions: { sleep_seconds: 0.1 } });
  const attempt = await until('the run to be busy', async () => {
    const fields = (await trial.run()).bootstrax;
    return fields.state === 'busy' ? fields.attempt : null;
  });
  await writeFile(`/dev/shm/test-${attempt}-1`, 'left behind');
  await trial.cutIn(manager, cut);
};

/** Cuts the manager that recovers from an earlier cut. */
export function recoveringFrom(way: Way, first: Cut, manager: TrialManager = {}): Way {
  return async (trial, cut) => {
    await way(trial, first);
    await trial.cutIn(await trial.manager({ ...manager, cut }), cut);
  };
}

export const malformed: Way = async (trial, cut) => {
  await trial.insert({ detectors: null });
  await trial.cutIn(await trial.manager({ cut }), cut);
};

/** It goes on by itself. */
export async function mended(trial: Trial): Promise<void> {
  await until('the run to be set aside', async () => {
    return (await trial.run()).bootstrax.outcome === 'set_aside';
  });
  await trial.set({ detectors: ['tpc'] });
}

/** The host that claimed the run is gone for good. */
export const staleElsewhere: Way = async (trial, cut) => {
  await trial.insert({
    bootstrax: {
      state: 'busy',
      host: 'gone.test.local',
      time: new Date(Date.now() - 3_600_000),
      attempt: newAttemptId(),
    },
  });
  await trial.cutIn(await trial.manager({ ...TIDY, cut }), cut);
};

/** Another program was killed between writing `done` and handing the run on. */
export const doneWithoutStatus: Way = async (trial, cut) => {
  await trial.insert();
  const manager = await trial.manager();
  await trial.done();
  await manager.kill();
  await trial.set({ status: null });
  await trial.cutIn(await trial.manager({ ...TIDY, cut }), cut);
};

/** A person's command that is cut is given once more. */
export function command(verb: string, before: 'new' | 'held' | 'failed'): Way {
  return async (trial, cut) => {
    await trial.insert({
      ...(before === 'failed' ? { bootstrax: failedBefore(trial, 1, LATER()) } : {}),
      ...(before === 'held'
        ? { tags: [{ name: 'hold-processing', user: 'somebody', date: new Date() }] }
        : {}),
    });
    await trial.cutInCommand([verb, String(trial.number)], cut);
    await trial.succeed([verb, String(trial.number)]);
  };
}

/** Two documents have the number of no live data, and the trial's number is free. */
export const renumbered: Way = async (trial, cut) => {
  const shared = trial.number + 500_000;
  await trial.insert();
  await trial.set({ number: shared });
  await trial.lab.insertRuns({
    ...{ number: shared, bootstrax: { state: 'done' }, data: [] },
    start: new Date(),
  });
  const { _id } = await trial.lab.run(shared);
  const args = ['renumber', _id.toHexString(), String(trial.number), '--reason', 'counted twice'];
  await trial.cutInCommand(args, cut);
  // What has landed needs no second try.
  if (cut === 'runs.renumber:before') await trial.succeed(args);
};

export async function released(trial: Trial): Promise<void> {
  expect((await trial.run())['tags']).toHaveLength(1);
  await trial.succeed(['release', String(trial.number)]);
}

export const contextBroken: Way = async (trial, cut) => {
  await trial.insert();
  const manager = await trial.manager({ cut, context: 'no_such_module:context' });
  await trial.cutIn(manager, cut);
};

/** More concluded attempts than are kept, the newest with a long log. */
export const manyOldAttempts: Way = async (trial, cut) => {
  await trial.insert();
  for (let old = 1; old <= 505; old++) {
    const directory = join(trial.attemptsDir, newAttemptId());
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'concluded'), '');
    if (old === 505) await writeFile(join(directory, 'log.txt'), 'a line\n'.repeat(1_000_000));
  }
  await trial.cutIn(await trial.manager({ cut }), cut);
};

/** A run is done, and the host deletes live data. */
export const deleting: Way = async (trial, cut) => {
  await ownLiveData(trial);
  await trial.insert();
  await trial.cutIn(await trial.manager({ ...DELETING, cut }), cut);
};

/** Something stands where live data is set aside. */
export const deletingObstructed: Way = async (trial, cut) => {
  await mkdir(`${trial.liveFolder}-deleting`);
  await deleting(trial, cut);
};

export async function liveDataFreed(trial: Trial): Promise<void> {
  await until('the obstacle to be told', async () => {
    return (await deletionOf(trial))?.['problem'] !== null;
  });
  await rm(`${trial.liveFolder}-deleting`, { recursive: true });
  await liveDataGone(trial);
}

/** Once, whole, with an entry that says so and a record of what stands in for it. */
export async function liveDataGone(trial: Trial): Promise<void> {
  await until('the live data to be deleted', async () => {
    const deletion = await deletionOf(trial);
    if (deletion?.['state'] === 'refused') throw new Error(String(deletion['cause']));
    return deletion?.['state'] === 'done';
  });
  const run = await trial.run();
  expect(run.data.filter(({ type }) => type === 'live')).toEqual([]);
  expect(run['deleted_data']).toEqual([
    { type: 'live', host: 'daq', at: expect.any(Date) as Date, by: trial.host },
  ]);
  expect(existsSync(trial.liveFolder)).toBe(false);
  expect(existsSync(`${trial.liveFolder}-deleting`)).toBe(false);
  expect((await deletionOf(trial))?.['vouched_by']).not.toEqual([]);
}

async function deletionOf(trial: Trial) {
  const deletions = trial.lab.runsDatabase.collection('bootstrax_deletions');
  const all = await deletions.find({ run: trial.number }).toArray();
  expect(all.length).toBeLessThanOrEqual(1);
  return all[0] ?? null;
}

/** A copy of its own in place of the link to what all trials read. */
async function ownLiveData(trial: Trial): Promise<void> {
  await rm(trial.liveFolder);
  await cp(trial.lane.undisturbedLive, trial.liveFolder, { recursive: true });
}

/** What a done run lacks, after failures, has been offered. */
export const paying: Way = async (trial, cut) => {
  await doneWithDebt(trial);
  const contextOptions = { sleep_seconds: 0.3 };
  await trial.cutIn(await trial.manager({ ...PAYING, contextOptions, cut }), cut);
};

/** An operator ends the child that makes it. */
export const payingStopped: Way = async (trial, cut) => {
  await doneWithDebt(trial);
  const manager = await trial.manager({ ...PAYING, contextOptions: { sleep_seconds: 60 }, cut });
  await until('something to be written', () => hasBegunFolders(trial));
  await trial.lab.command(['stop', '--children'], { host: trial.host });
  await trial.cutIn(manager, cut);
};

export async function paid(trial: Trial): Promise<void> {
  await until('what the run lacked to be there', async () => {
    const { state, plan, ...fields } = (await trial.run()).bootstrax;
    // Whatever happens, and whenever it is looked at.
    expect(state).toBe('done');
    return plan?.targets.length !== undefined && !('debt' in fields) && 'debt_paid' in fields;
  });
}

async function doneWithDebt(trial: Trial): Promise<void> {
  await trial.insert({ bootstrax: failedBefore(trial, DEBT_FAILURES, new Date(0)) });
  const manager = await trial.manager();
  await trial.done();
  await manager.kill();
  await trial.succeed(['debt', 'offer', String(trial.number)]);
}

async function busyWithFolders(trial: Trial, cut?: Cut) {
  await trial.insert();
  const manager = await trial.manager({
    ...(cut === undefined ? {} : { cut }),
    contextOptions: { sleep_seconds: 60 },
  });
  await until('the first folder', async () => {
    return (await trial.run()).bootstrax.state === 'busy' && (await hasBegunFolders(trial));
  });
  return manager;
}

/** An attempt writes, in a folder of its own. */
async function hasBegunFolders(trial: Trial): Promise<boolean> {
  const written = await readdir(trial.staging, { recursive: true }).catch(() => []);
  return written.some((path) => basename(path).startsWith(trial.runId) && path.endsWith('_temp'));
}

function failedBefore(trial: Trial, failures: number, retry: Date) {
  return {
    state: 'failed',
    host: trial.host,
    time: new Date(),
    reason: `${trial.host}:\nfailed before\n`,
    n_failures: failures,
    next_retry: retry,
  };
}
