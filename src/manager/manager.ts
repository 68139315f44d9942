import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';

import type { Frontend } from '../attempt/attempt.pure.ts';
import { attemptsOnDisk, productsOnDisk } from '../attempt/files/attempt-files-on-disk.ts';
import { openStore } from '../database/open.ts';
import { bindDatabase } from '../exclusion/database-binding.ts';
import { DatabaseNameLock } from '../exclusion/database-name-lock.ts';
import { ManagerRefused } from '../exclusion/exclusion-refusal.ts';
import type { Holder } from '../exclusion/holder.pure.ts';
import { takeLocalLock } from '../exclusion/local-lock.ts';
import { machineKey, serversOf } from '../exclusion/manager-lock.ts';
import { otherManagers } from '../exclusion/other-manager.ts';
import { worksOnDatabase } from '../exclusion/same-database.ts';
import { drainsOnDisk, readDrain } from '../host/drain.ts';
import { thisMachine } from '../host/this-machine.ts';
import { systemClock } from '../infra/clock/clock.ts';
import { within } from '../infra/concurrency/deadline.ts';
import { TaskGroup } from '../infra/concurrency/task-group.ts';
import { connectionOf } from '../infra/config/connection.ts';
import type { Settings } from '../infra/config/entries.ts';
import { packageDirectory, stagingDirectory } from '../infra/config/paths.ts';
import type { StoreOptions } from '../infra/mongo/connection.port.ts';
import type { Environment } from '../ports/environment.ts';
import { ManagerFigures } from '../ports/figures.ts';
import { tellDaq } from '../ports/notify.ts';
import { untilAnswered } from '../ports/persist.ts';
import type { Store } from '../ports/store.ts';
import { LeftRuns } from '../run/refused-runs.ts';
import { clusterOfHost } from './cluster-of-host.ts';
import { answerRequest } from './control-requests.ts';
import { type HandBack, HANDED_BACK } from './drain/handback.ts';
import { noWorker } from './drain/no-worker.ts';
import { ManagerLoop } from './loop.ts';
import { startServiceNotices } from './service-notices.ts';
import { deletionMeans, localWorker } from './worker-of-host.ts';

export interface ManagerOptions {
  settings: Settings;
  logger: Logger;
  /** Process only this run, then end: 0 if it is done afterwards, else 1. */
  runOnce?: number;
  /** A trial: what is read elsewhere, where nothing may be written. */
  trial?: Pick<Store, 'rates' | 'hostTargets'>;
  /** Ends the manager like TERM. */
  ends?: AbortSignal;
  /** Take no run; see to what is left here, then hand the host over: `HANDED_BACK`. */
  handBack?: HandBack;
}

/** Time to write into the DAQ's log why the manager ends. */
const LAST_WORD_SECONDS = 3;
/** Work that is under way when the manager ends has this time to finish. */
const LAST_TASKS_SECONDS = 0.5;

/**
 * Runs the manager until it is told to end (Ctrl-C, TERM, another instance), which leaves children
 * alone; answers the exit code. An unexpected error ends the whole process at once with code 1 and
 * one line: the next start recovers.
 */
export async function runManager(options: ManagerOptions): Promise<number> {
  const life: Life = { tasks: new TaskGroup(systemClock), env: null };
  // What handlers of events throw has no caller: it is a failure of the group like any other.
  const fail = (error: unknown) => life.tasks.fail(error);
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  try {
    return await life.tasks.guard(() => manage(options, life));
  } catch (error) {
    if (!(error instanceof ManagerRefused)) return crash(error, options.logger, life);
    const { exitCode, message } = error;
    if (exitCode === 0) options.logger.info({ event: 'manager.ended' }, message);
    else options.logger.fatal({ event: 'manager.refused' }, message);
    return exitCode;
  }
}

/** What a crash needs to know of the manager. */
interface Life {
  tasks: TaskGroup;
  env: Environment | null;
}

/** The one way in which an internal error ends the manager, wherever it has come up. */
async function crash(error: unknown, logger: Logger, { tasks, env }: Life): Promise<never> {
  const what = error instanceof Error ? error.message : String(error);
  const message = `the manager ends, because of an error of its own: ${what}. Children go on; start it again`;
  try {
    logger.fatal({ event: 'manager.crashed', err: error }, message);
    // Whatever is broken writes nothing any more but this.
    tasks.fail(error);
    if (env !== null) await lastWord(env, message);
  } finally {
    process.exit(1);
  }
}

async function manage(options: ManagerOptions, life: Life): Promise<number> {
  const { settings, logger, runOnce, handBack } = options;
  const connection = connectionOf(settings);
  if (connection === null) throw new Error('the manager needs the URL of a database');
  const { tasks } = life;
  const { signal } = tasks;
  const end = () => tasks.end();
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
  options.ends?.addEventListener('abort', end, { once: true });
  await mkdir(settings.paths.stateDir, { recursive: true });
  let manager: ManagerLoop | null = null;
  const notices = startServiceNotices({
    tasks,
    clock: systemClock,
    environment: process.env,
    python: settings.worker.python,
    notifier: join(packageDirectory(), 'worker', 'bootstrax_worker', 'notifier.py'),
    view: () => ({
      ready: manager?.ready ?? false,
      status: manager?.thinking ?? 'becoming the manager of this host',
    }),
    onProblem: (problem) => logger.warn({ event: 'service.not_notified' }, problem),
  });
  const key = machineKey({
    host: settings.host.name,
    runsUrl: connection.runsUrl,
    runsDatabase: connection.runsDb,
    stateDir: settings.paths.stateDir,
  });
  const local = await takeLocalLock({
    key,
    onControl: (request) => answerRequest(manager, request, runOnce),
    onEnd: end,
    worksOnOurs: (earlier) => worksOn(earlier, connection, logger, signal),
    logger,
  });
  const closing: (() => Promise<void> | void)[] = [() => notices.stop(), () => local.release()];
  const figures = new ManagerFigures();
  const store = {
    ...figures.counting(
      openStore(connection, (event) => {
        figures.onStoreEvent(event);
        manager?.onStoreEvent(event);
      }),
    ),
    ...options.trial,
  };
  closing.push(() => store.close());
  const worker =
    handBack === undefined
      ? localWorker(settings, logger, tasks, () => manager?.wake())
      : noWorker(settings);
  const cluster = clusterOfHost(settings, tasks);
  // A test or a host that is handed back leaves no worker behind; any other manager is started again.
  let forGood = options.trial !== undefined;
  closing.push(() => worker.close(forGood));
  const meeting = new DatabaseNameLock(
    { store, clock: systemClock, log: logger },
    local.holder,
    otherManagers,
  );
  const env: Environment = {
    host: settings.host.name,
    role: settings.host.role,
    primaries: settings.host.primaries,
    watchedHosts: settings.host.watched,
    resourceTable: settings.host.resourceTable,
    slots: settings.host.slots,
    rules: settings.rules,
    context: settings.worker.context,
    contextOptions: settings.worker.contextOptions,
    processor: settings.worker.processor,
    profile: settings.worker.profile === 'false' ? null : settings.worker.profile,
    debug: settings.worker.debug,
    pictures: settings.worker.pictures,
    frontends: frontendsOf(settings.worker),
    ignoreChecks: settings.checks.ignore,
    wipeOnlineMonitor: settings.database.wipeOnlineMonitor,
    liveDataRoots: [settings.paths.liveData],
    outputDirectory: settings.paths.output,
    stagingDirectory: stagingDirectory(settings.paths),
    deletion: settings.deletion.liveData ? deletionMeans(settings) : null,
    changeStream: settings.database.changeStream,
    pollSeconds: settings.rules.limits.idlePollSeconds,
    productionMode: options.trial === undefined,
    store,
    nameLock: {
      holder: local.holder,
      take: async (until) => {
        await untilAnswered({ clock: systemClock, log: logger }, 'the mark', until, () =>
          bindDatabase({ store, log: logger }, key, serversOf(connection.runsUrl), local.record),
        );
        return meeting.take(until);
      },
      displaced: (until) => meeting.displaced(until),
    },
    figures,
    executor: worker.executor,
    cluster: cluster.cluster,
    jobs: handBack === undefined ? cluster.jobs : null,
    attempts: attemptsOnDisk(settings.paths.stateDir, cluster.shared),
    products: productsOnDisk,
    machine: thisMachine,
    drains: drainsOnDisk(settings.paths.stateDir),
    clock: systemClock,
    tasks,
    left: new LeftRuns(systemClock),
    log: logger,
    graph: worker.graph,
  };
  life.env = env;
  manager = new ManagerLoop(env);
  const drained = runOnce === undefined ? await readDrain(settings.paths.stateDir) : null;
  if (drained !== null) await manager.drain(drained);
  if (handBack !== undefined) await manager.handBack(handBack);
  try {
    const answer = await manager.work(runOnce ?? null);
    // Whatever is broken writes nothing any more.
    if (!tasks.hasFailed) await manager.giveBack();
    if (answer === HANDED_BACK) forGood = true;
    manager.sayWhatGoesOn();
    await close(tasks, closing);
    return answer;
  } catch (error) {
    // Whatever else went wrong ends the process as it is.
    if (error instanceof ManagerRefused) {
      manager.sayWhatGoesOn();
      await tellRefusal(env, error);
      await close(tasks, closing);
    }
    throw error;
  }
}

async function close(
  tasks: TaskGroup,
  closing: readonly (() => Promise<void> | void)[],
): Promise<void> {
  await tasks.close(LAST_TASKS_SECONDS);
  for (const each of [...closing].reverse()) await each();
}

/** Nobody may be there to read the log: the data acquisition's is told as well, if it answers soon. */
async function tellRefusal(env: Environment, { exitCode, message }: ManagerRefused): Promise<void> {
  if (exitCode === 0) return;
  await lastWord(env, `its manager ends: ${message}`);
}

async function lastWord(env: Environment, message: string): Promise<void> {
  const told = tellDaq(env, 'error', `${env.host}: ${message}`);
  await within(env.clock, LAST_WORD_SECONDS, told);
}

/** Whether a manager works on the database of this connection, once that answers. */
async function worksOn(
  earlier: Holder,
  connection: StoreOptions,
  log: Logger,
  signal: AbortSignal,
): Promise<boolean> {
  const store = openStore(connection, () => undefined);
  try {
    const what = `whether pid ${earlier.pid} uses the same database`;
    const answer = await untilAnswered({ clock: systemClock, log }, what, signal, () =>
      worksOnDatabase(earlier, store.hosts),
    );
    return answer ?? false;
  } finally {
    await store.close();
  }
}

function frontendsOf({ onlineMonitor, runDatabase }: Settings['worker']): Frontend[] {
  return [
    ...(runDatabase ? ['run_database' as const] : []),
    ...(onlineMonitor ? ['online_monitor' as const] : []),
  ];
}
