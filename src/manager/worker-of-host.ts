import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';

import { type PluginGraph, pluginGraphSchema } from '../attempt/attempt.pure.ts';
import { liveDataOnDisk } from '../attempt/files/live-data.ts';
import { retireServers } from '../attempt/worker/find-server.ts';
import { ForkServer } from '../attempt/worker/fork-server.ts';
import type { ForkServerState } from '../attempt/worker/fork-server-answers.ts';
import type { Executor } from '../executors/executor.ts';
import { LocalExecutor } from '../executors/local/local-executor.ts';
import type { DeletionMeans } from '../features/deletion/deletion-means.port.ts';
import { checkProducts } from '../features/deletion/product-check.ts';
import { OneAtATime } from '../infra/concurrency/one-at-a-time.ts';
import type { Tasks } from '../infra/concurrency/tasks.ts';
import type { Settings } from '../infra/config/entries.ts';
import { graphPath, packageDirectory, workersPath } from '../infra/config/paths.ts';
import { remove, writeFileDurable } from '../infra/disk/durable.ts';

export interface LocalWorker {
  executor: Executor;
  graph: () => PluginGraph | null;
  /** `forGood`: no manager comes back soon, so that the warm worker need not wait for one. */
  close: (forGood: boolean) => Promise<void>;
}

/**
 * The warm worker of this host and the executor on top of it. `onChange` is called when what it can
 * do has changed. The context counts as usable while it is still being imported if it was imported
 * with the same interpreter and options before: so a restarted manager may claim at once.
 */
export function localWorker(
  settings: Settings,
  logger: Logger,
  tasks: Tasks,
  onChange: () => void,
): LocalWorker {
  const { context, contextOptions, python, pythonPath, warmUp } = settings.worker;
  const { stateDir } = settings.paths;
  const logFile = join(stateDir, 'worker.log');
  const reports = new WorkerReports(settings, logger, tasks);
  const server = new ForkServer(
    {
      python,
      workerDirectory: join(packageDirectory(), 'worker'),
      pythonPath,
      cacheDirectory: join(stateDir, 'cache'),
      serversDirectory: workersPath(stateDir),
      orphanLimitSeconds: settings.rules.limits.orphanLimitSeconds,
      context,
      contextOptions,
      warmUp,
      logFile,
      environment: process.env,
    },
    tasks,
    {
      onGraph: (reported) => {
        reports.onGraph(reported);
        onChange();
      },
      onState: (state) => {
        reports.onState(state, logFile);
        onChange();
      },
      onNote: (note) => logger.warn({ event: 'worker.note' }, note),
    },
  );
  server.start();
  return {
    executor: new LocalExecutor({
      server,
      slots: settings.host.slots,
      unproved: () =>
        reports.isImported ? null : `the strax context ${context} is being imported`,
    }),
    graph: () => reports.graph,
    close: async (forGood) => {
      server.close();
      if (forGood) await retireServers(workersPath(stateDir));
    },
  };
}

/** What the worker has reported, kept for the next manager as well. */
class WorkerReports {
  readonly #context: string;
  readonly #stateDir: string;
  readonly #logger: Logger;
  readonly #tasks: Tasks;
  readonly #graphFile: string;
  readonly #importedFile: string;
  /** With what the context was imported. */
  readonly #key: string;
  readonly #writes = new OneAtATime();
  #graph: PluginGraph | null;
  #isImported: boolean;
  #lastFailure: string | null = null;

  constructor({ worker, paths }: Settings, logger: Logger, tasks: Tasks) {
    const { context, contextOptions, python, pythonPath } = worker;
    this.#context = context;
    this.#stateDir = paths.stateDir;
    this.#logger = logger;
    this.#tasks = tasks;
    this.#graphFile = graphPath(paths.stateDir, context);
    this.#importedFile = join(paths.stateDir, 'context-imported.json');
    this.#key = JSON.stringify({ context, contextOptions, python, pythonPath });
    this.#graph = readGraph(this.#graphFile, context);
    this.#isImported = readText(this.#importedFile)?.trim() === this.#key;
  }

  get graph(): PluginGraph | null {
    return this.#graph;
  }

  /** The context was imported before with the same interpreter and options. */
  get isImported(): boolean {
    return this.#isImported;
  }

  onGraph(reported: PluginGraph): void {
    this.#graph = reported;
    this.#isImported = true;
    this.#keep(async () => {
      await mkdir(this.#stateDir, { recursive: true });
      await writeFileDurable('graph.json', this.#graphFile, `${JSON.stringify(reported)}\n`);
      await writeFileDurable('context-imported.json', this.#importedFile, `${this.#key}\n`);
    });
  }

  onState(state: ForkServerState, logFile: string): void {
    switch (state.kind) {
      case 'warm':
        this.#lastFailure = null;
        this.#logger.info(
          { event: 'worker.ready', warm: true, seconds: state.seconds, kept: state.kept },
          state.kept
            ? `the worker of the manager before is warm, and its files are the same: ${this.#context}`
            : `the worker is warm after ${state.seconds.toFixed(1)} s: ${this.#context}`,
        );
        break;
      case 'cold':
        this.#lastFailure = null;
        this.#logger.info(
          { event: 'worker.ready', warm: false, why: state.why },
          `runs start cold: ${state.why}`,
        );
        break;
      case 'failed':
        if (state.summary !== this.#lastFailure) {
          this.#logger.error(
            { event: 'worker.failed', retrySeconds: state.retrySeconds },
            `the worker cannot start: ${state.summary}; it is tried again and again, see ${logFile}`,
          );
        }
        this.#lastFailure = state.summary;
        this.#isImported = false;
        this.#keep(() => remove('context-imported.remove', this.#importedFile));
        break;
      case 'starting':
      case 'closed':
        break;
    }
  }

  #keep(write: () => Promise<void>): void {
    this.#tasks.start('what the worker has reported', async () => {
      try {
        await this.#writes.run(write);
      } catch (error) {
        this.#logger.warn(
          { event: 'worker.record' },
          `cannot note what the worker reported in ${this.#stateDir}: ${String(error)}`,
        );
      }
    });
  }
}

/** How live data is deleted on this host. */
export function deletionMeans(settings: Settings): DeletionMeans {
  const { python, pythonPath } = settings.worker;
  const options = {
    python,
    workerDirectory: join(packageDirectory(), 'worker'),
    pythonPath,
    cacheDirectory: join(settings.paths.stateDir, 'cache'),
    environment: process.env,
  };
  return {
    liveData: liveDataOnDisk,
    check: (runId, products, signal) => checkProducts(options, runId, products, signal),
  };
}

/** The plugins as the worker reported them the last time it started; null if it never has. */
export function readGraph(file: string, context: string): PluginGraph | null {
  const text = readText(file);
  if (text === null) return null;
  try {
    const parsed = pluginGraphSchema.safeParse(JSON.parse(text));
    return parsed.success && parsed.data.context === context ? parsed.data : null;
  } catch {
    return null;
  }
}

function readText(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
