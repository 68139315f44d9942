import { afterAll, beforeAll, expect, test } from 'vitest';

import { Lab, type ManagerProcess, until } from '../support/lab.ts';
import { Proxy } from '../support/proxy.ts';
import {
  ALPHA,
  attemptProcesses,
  BETA,
  config,
  directoryOf,
  doneOnce,
  noOrphans,
  readJson,
  SHORT_RUN,
} from './support.ts';

const LEASE_SECONDS = 3;
const SHORT_LEASES = config({
  limits: {
    busyLeaseSeconds: LEASE_SECONDS,
    consideringLeaseSeconds: LEASE_SECONDS,
    housekeepingSeconds: 1,
  },
});
const LIVE_RUN = ['--seconds', '4', '--speed', '1', '--chunk-seconds', '1'];

let lab: Lab;
/** In front of the database, as alpha sees it. */
let proxy: Proxy;
let managers: ManagerProcess[];
beforeAll(async () => {
  lab = await Lab.start();
  proxy = await Proxy.to(lab.url);
  managers = [
    await lab.manager({
      host: ALPHA,
      config: SHORT_LEASES,
      env: { BOOTSTRAX_MONGO_URL: proxy.url },
    }),
    await lab.manager({ host: BETA, config: SHORT_LEASES }),
  ];
  for (const manager of managers) await manager.event('worker.ready');
});
afterAll(async () => {
  await proxy.close();
  await lab.end();
});

interface Begun {
  number: number;
  host: string;
  attempt: string;
  taking: Promise<number[]>;
}

/** A run that is being taken and processed, by whichever manager was faster. */
async function aBusyRun(): Promise<Begun> {
  const before = managers.map(({ lines }) => lines.length);
  const taking = lab.takeRuns(LIVE_RUN);
  const [manager, line] = await until('a run to be started', () => {
    for (const [i, candidate] of managers.entries()) {
      const found = candidate.lines
        .slice(before[i])
        .find((each) => each['event'] === 'attempt.started');
      if (found !== undefined) return [candidate, found] as const;
    }
    return null;
  });
  const host = manager === managers[0] ? ALPHA : BETA;
  return { number: Number(line['run']), host, attempt: String(line['attempt']), taking };
}

/** Waits for the child's result, which needs no database. */
async function finished({ host, attempt }: Begun): Promise<void> {
  await until('the result to be on disk', () =>
    readJson(directoryOf(lab, host, attempt), 'result.json'),
  );
}

/** The attempt that had the run before the outage has brought it to its end, and nobody was stale. */
async function sameAttemptDone(run: Begun): Promise<void> {
  const document = await doneOnce(lab, run.number);
  expect(document.bootstrax).toMatchObject({ host: run.host, last_attempt: run.attempt });
  for (const manager of managers) {
    expect(manager.child.exitCode, manager.story()).toBeNull();
    const stale = manager.lines.filter(
      (line) => line['event'] === 'run.stale' && line['run'] === run.number,
    );
    expect(stale).toEqual([]);
  }
  await noOrphans(lab);
}

/**
 * What was cut off was alpha alone. If it held the run, beta has seen for a whole lease that nobody
 * renewed it and may have taken it over: not counted, and in the end it is done once.
 */
async function doneByEither(run: Begun): Promise<void> {
  if (run.host === BETA) return sameAttemptDone(run);
  const document = await lab.reached(run.number, ['done']);
  expect(document.bootstrax.n_failures ?? 0).toBe(0);
  const types = document.data.map(({ type }) => type);
  expect(new Set(types).size).toBe(types.length);
  await noOrphans(lab);
}

const passed = (seconds: number) => {
  const end = performance.now() + seconds * 1000;
  return () => performance.now() > end;
};

test('a database that stands still for longer than the lease makes nobody stale', async () => {
  const run = await aBusyRun();
  await lab.signalServer('SIGSTOP');
  try {
    await until('more than twice the lease to be over', passed(2 * LEASE_SECONDS + 1));
    expect(attemptProcesses(lab).length).toBeGreaterThan(0);
  } finally {
    await lab.signalServer('SIGCONT');
  }
  await run.taking;
  await sameAttemptDone(run);
});

test('a killed database: the child runs on, its result waits, and is concluded afterwards', async () => {
  const run = await aBusyRun();
  await run.taking;
  await lab.signalServer('SIGKILL');
  await finished(run);
  await until('the lease to be over', passed(LEASE_SECONDS + 1));
  const holder = managers[run.host === ALPHA ? 0 : 1]!;
  await holder.event('database.down');
  await lab.startServer();
  await sameAttemptDone(run);
});

test('connections that were swallowed without closing are replaced', async () => {
  const run = await aBusyRun();
  proxy.freeze();
  await run.taking;
  await doneByEither(run);
  // With the old connections still silent, new runs are noticed.
  const [number] = await lab.takeRuns(SHORT_RUN);
  await doneOnce(lab, number!);
});

test('a silent network during a run and at its end', async () => {
  const run = await aBusyRun();
  proxy.mode = 'silent';
  await run.taking;
  await finished(run);
  await until('the lease to be over', passed(LEASE_SECONDS + 1));
  proxy.mode = 'pass';
  await doneByEither(run);
});

test('a slow network loses no run, and fails none', async () => {
  proxy.delayMs = 150;
  const [number] = await lab.takeRuns(SHORT_RUN);
  await doneOnce(lab, number!);
  proxy.delayMs = 0;
});

test('a manager that starts while the database is silent waits for it, and then works', async () => {
  await managers[1]!.kill('SIGTERM');
  await managers[0]!.kill();
  proxy.mode = 'silent';
  const manager = await lab.manager({
    config: SHORT_LEASES,
    env: { BOOTSTRAX_MONGO_URL: proxy.url },
  });
  const waiting = await manager.event('database.waiting');
  expect(String(waiting['msg'])).toMatch(
    /^waiting for the database to answer for the start: .*runs database/,
  );
  proxy.mode = 'pass';
  await manager.event('manager.ready');
  const [number] = await lab.takeRuns(SHORT_RUN);
  await doneOnce(lab, number!);
  // With the database silent again it still ends at once when told to.
  proxy.mode = 'silent';
  await manager.kill('SIGTERM');
  expect(manager.child.exitCode).toBe(0);
});
