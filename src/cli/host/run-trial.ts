import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';

import type { TrialRuns } from '../../features/trial/trial-runs.ts';
import { systemClock } from '../../infra/clock/clock.ts';
import { TaskGroup } from '../../infra/concurrency/task-group.ts';
import { connectionOf } from '../../infra/config/connection.ts';
import type { Settings } from '../../infra/config/entries.ts';
import type { Loaded } from '../../infra/config/load-config.ts';
import type { Store } from '../../ports/store.ts';
import { readRun } from '../../run/run.pure.ts';
import type { RunDocument } from '../../run/run-document.port.ts';
import { CommandFailure } from '../framework/command-failure.ts';
import { print, table } from '../framework/output.ts';
import { withEmbedded } from '../framework/with-database.ts';

/** Runs of each kind that are tried, newest first. */
const MOST_RUNS = 20;
/** As the reference: a test does not need the last of a disk. */
const MAX_USED_PERCENT = 80;
const LOOK_SECONDS = 2;
const RUNS_DATABASE = 'trial';
const DAQ_DATABASE = 'trial_daq';

export interface TrialOptions {
  /** Only this run, in any state. */
  run: number | null;
  json: boolean;
}

/**
 * Test mode: processes runs of the configured database once, as if they were new, with all that is
 * written going to a database and folders of the trial's own, below the state folder. The configured
 * database is read and never written; nothing there is, neither file nor process, is touched.
 * Answers 0 if all of them are done.
 */
export async function runTrial(
  loaded: Loaded,
  logger: Logger,
  options: TrialOptions,
): Promise<number> {
  const connection = connectionOf(loaded.settings);
  if (connection === null) {
    throw new CommandFailure(2, 'no database to read runs from: set BOOTSTRAX_MONGO_URL');
  }
  const root = join(loaded.settings.paths.stateDir, 'trial');
  const output = join(root, 'processed');
  await mkdir(output, { recursive: true });
  const { openStore } = await import('../../database/open.ts');
  const { startEmbedded, stopEmbedded } =
    await import('../../infra/mongo/embedded/embedded-server.ts');
  const { TrialRuns: Runs } = await import('../../features/trial/trial-runs.ts');
  const { runManager } = await import('../../manager/manager.ts');
  const source = openStore({ ...connection, manage: false }, () => undefined);
  const { python } = loaded.settings.worker;
  const server = await startEmbedded({ python, stateDir: root, port: null });
  const settings = isolated(withEmbedded(loaded, server.url).settings, root, output);
  const copies = new Runs(server.url, RUNS_DATABASE);
  const ends = new AbortController();
  let report: Report;
  try {
    const trial = new Trial(source, copies, settings);
    await trial.copy(options.run);
    const own = connectionOf(settings);
    if (own === null) throw new Error('the trial has no database');
    const results = openStore(own, () => undefined);
    const tasks = new TaskGroup(systemClock);
    tasks.every({ name: 'whether the trial is over', seconds: LOOK_SECONDS }, async () => {
      try {
        if (await trial.poll(results)) ends.abort();
      } catch (error) {
        logger.warn({ event: 'trial.missed' }, String(error));
      }
    });
    await runManager({
      settings,
      logger,
      trial: { rates: source.rates, hostTargets: source.hostTargets },
      ends: ends.signal,
    });
    tasks.end();
    report = await trial.report(results, options.json, output);
    await results.close();
  } finally {
    await Promise.all([source.close(), copies.close()]);
    await stopEmbedded(root);
  }
  // The last line, also where something is logged of the database that goes.
  print(report.text);
  return report.allDone ? 0 : 1;
}

/** The same host with nothing in common with its manager but what is read. */
function isolated(settings: Settings, root: string, output: string): Settings {
  const { rules } = settings;
  const maxUsedPercent = Math.min(rules.disk.maxUsedPercent, MAX_USED_PERCENT);
  return {
    ...settings,
    database: {
      ...settings.database,
      daqUrl: null,
      runsDb: RUNS_DATABASE,
      daqDb: DAQ_DATABASE,
      credentials: { runs: null, daq: null },
    },
    host: { ...settings.host, role: 'primary', watched: [] },
    paths: { ...settings.paths, stateDir: root, output },
    // Both write to the folder that utilix names.
    worker: { ...settings.worker, onlineMonitor: false, runDatabase: false },
    deletion: { ...settings.deletion, liveData: false },
    rules: { ...rules, disk: { ...rules.disk, maxUsedPercent } },
  };
}

interface Report {
  text: string;
  allDone: boolean;
}

class Trial {
  readonly #source: Store;
  readonly #copies: TrialRuns;
  readonly #settings: Settings;
  #numbers: number[] = [];
  #open: RunDocument[] = [];

  constructor(source: Store, copies: TrialRuns, settings: Settings) {
    this.#source = source;
    this.#copies = copies;
    this.#settings = settings;
  }

  async copy(run: number | null): Promise<void> {
    const found = run === null ? await this.#waiting() : await this.#source.runs.byNumber(run);
    if (found.length === 0) {
      const what = run === null ? 'no run waits to be processed' : `there is no run ${run}`;
      throw new CommandFailure(1, `${what} in the database that is read`);
    }
    for (const document of found) await this.#copies.copy(document);
    this.#numbers = found.flatMap((document) => readRun(document).number ?? []);
    this.#open = found.filter((document) => readRun(document).end === null);
  }

  async #waiting(): Promise<RunDocument[]> {
    const { runs } = this.#source;
    const giveUpAfter = this.#settings.rules.retry.maxFailures;
    const now = await this.#source.serverTime();
    const fresh = await runs.newCandidates({ limit: MOST_RUNS });
    return [...fresh, ...(await runs.retryDue({ now, giveUpAfter, limit: MOST_RUNS }))];
  }

  /** Passes on the ends of runs that were being taken; true once there is nothing left to do. */
  async poll(results: Store): Promise<boolean> {
    for (const { _id } of [...this.#open]) {
      const document = await this.#source.runs.byId(_id);
      if (document === null || readRun(document).end === null) continue;
      await this.#copies.setEnd(document);
      this.#open = this.#open.filter((each) => !each._id.equals(_id));
    }
    const states = await this.#states(results);
    return states.every(({ state }) => ['done', 'failed', 'abandoned'].includes(String(state)));
  }

  /** What became of each run, for a person or as one object; whether all are done. */
  async report(results: Store, asJson: boolean, output: string): Promise<Report> {
    const states = await this.#states(results);
    const allDone = states.every(({ state }) => state === 'done');
    if (asJson) return { text: JSON.stringify({ trial: states, output }), allDone };
    const rows = states.map(({ run, state, reason }) => [
      String(run),
      String(state),
      reason?.split('\n')[1]?.slice(0, 100) ?? '',
    ]);
    return { text: `${table(['run', 'state', 'why'], rows)}\nIts data: ${output}`, allDone };
  }

  async #states(results: Store) {
    const found = await Promise.all(this.#numbers.map((run) => results.runs.byNumber(run)));
    return found.flat().map((document) => {
      const { ownership, bootstrax } = readRun(document);
      return { run: ownership.number, state: ownership.state, reason: bootstrax.reason };
    });
  }
}
