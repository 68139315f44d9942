import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';

import type { Loaded } from '../../../infra/config/load-config.ts';
import { packageDirectory, workersPath } from '../../../infra/config/paths.ts';
import type { Store } from '../../../ports/store.ts';
import { readRun } from '../../../run/run.pure.ts';
import { type RunView, runView } from '../../../run/run-view.pure.ts';
import { CommandFailure } from '../../framework/command-failure.ts';
import { print, printJson, style } from '../../framework/output.ts';
import { Screen } from '../../framework/screen.ts';
import { flagArguments, settingsOf } from '../../framework/setting-flags.ts';
import { withEmbedded, withStore } from '../../framework/with-database.ts';
import { drawStatus, readStatus, type StatusView } from '../../look/status-view.ts';
import { DemoProcess } from './demo-children.ts';
import { summary } from './demo-summary.ts';

const LOOK_SECONDS = 1;
/** Imports and compilation of straxen's plugins take their time on a slow machine. */
const READY_LIMIT_SECONDS = 600;
/** What a manager says of its worker until that has compiled its plugins. */
const WARMING = 'warming up';
/** No retry is to be expected after these. */
const FINAL_OUTCOMES = ['given_up', 'set_aside', 'abandoned'];

export interface DemoOptions {
  runs: number;
  seconds: number;
  rate: number;
  speed: number;
  detectors?: string;
  mode?: string;
  /** End when all runs are done, instead of showing the status until Ctrl-C. */
  exit: boolean;
  limitSeconds: number;
  json: boolean;
}

/** Runs the whole; answers the exit code. All that it started has ended when it answers. */
export async function runDemo(options: DemoOptions, command: Command): Promise<number> {
  forgetOtherSettings();
  const configured = await settingsOf(command);
  const { settings } = configured;
  refuseDatabase(configured);
  const { stateDir, output, liveData } = settings.paths;
  for (const folder of [stateDir, output, liveData]) await mkdir(folder, { recursive: true });
  const { startEmbedded, stopEmbedded } =
    await import('../../../infra/mongo/embedded/embedded-server.ts');
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => stop.abort());
  }
  try {
    print('Starting the embedded database ...');
    const server = await startEmbedded({ python: settings.worker.python, stateDir, port: null });
    const loaded = withEmbedded(configured, server.url);
    return await withStore(loaded, (store) =>
      new Demo(options, { loaded, store, command }, stop.signal).run(),
    );
  } finally {
    await stopEmbedded(stateDir);
  }
}

/** A database named in the environment is somebody's; the demo must not even read it. */
function forgetOtherSettings(): void {
  for (const name of Object.keys(process.env)) {
    if (name.startsWith('BOOTSTRAX_') && name !== 'BOOTSTRAX_PYTHON') delete process.env[name];
  }
  process.env['BOOTSTRAX_CONFIG'] = join(packageDirectory(), 'config', 'demo.toml');
}

/** Nor may one that a configuration file names: the demo takes invented runs. */
function refuseDatabase({ settings, file }: Loaded): void {
  const { url, daqUrl, credentials, credentialsFile } = settings.database;
  if ([url, daqUrl, credentials.runs, credentials.daq, credentialsFile].every((x) => x === null)) {
    return;
  }
  throw new CommandFailure(
    2,
    `the demo takes invented runs into a database of its own, but a database is named in ` +
      `${file ?? 'its flags'}: use a configuration for trials, such as config/demo.toml`,
  );
}

class Interrupted extends CommandFailure {
  constructor() {
    super(1, 'the demo was interrupted');
  }
}

class Demo {
  readonly #options: DemoOptions;
  readonly #loaded: Loaded;
  readonly #store: Store;
  readonly #stop: AbortSignal;
  readonly #command: Command;
  readonly #screen = new Screen();
  readonly #processes: DemoProcess[] = [];

  constructor(
    options: DemoOptions,
    { loaded, store, command }: { loaded: Loaded; store: Store; command: Command },
    stop: AbortSignal,
  ) {
    this.#options = options;
    this.#loaded = loaded;
    this.#store = store;
    this.#stop = stop;
    this.#command = command;
  }

  async run(): Promise<number> {
    try {
      // Before anybody writes: see the start of the manager.
      await this.#store.ensureIndexes();
      const manager = this.#start('manager', ['run']);
      await this.#startDashboard();
      await this.#untilReady(manager);
      const simulator = this.#startSimulator();
      return await this.#watch(manager, simulator);
    } finally {
      this.#screen.end();
      await this.#endAll();
    }
  }

  /** Starts a command of this program with the settings of the demo. */
  #start(name: string, argv: string[]): DemoProcess {
    const { settings } = this.#loaded;
    const process_ = new DemoProcess(
      name,
      [
        ...[process.execPath, join(packageDirectory(), 'bin', 'bootstrax')],
        ...flagArguments(this.#command),
        ...['--mongo-url', settings.database.url ?? '', '--database-manage'],
        ...argv,
      ],
      process.env,
      join(settings.paths.stateDir, `${name}.log`),
    );
    this.#processes.push(process_);
    return process_;
  }

  /** At its usual port or, where that is taken, at any; a demo without it is a demo all the same. */
  async #startDashboard(): Promise<void> {
    for (const more of [[], ['--port', '0']]) {
      const dashboard = this.#start('dashboard', ['dashboard', '--json', ...more]);
      while (dashboard.exitCode === null) {
        const url = dashboard.lastLines(1000).match(/^\{"url":"([^"]+)"\}$/m)?.[1];
        if (url !== undefined) return print(`Dashboard: ${url}`);
        await this.#pause();
      }
    }
    print(
      `Without a dashboard: see ${join(this.#loaded.settings.paths.stateDir, 'dashboard.log')}`,
    );
  }

  #startSimulator(): DemoProcess {
    const { runs, seconds, rate, speed, detectors, mode } = this.#options;
    return this.#start('simulate-daq', [
      ...['simulate-daq', '--json', '--runs', String(runs)],
      ...(detectors === undefined ? [] : ['--detectors', detectors]),
      ...(mode === undefined ? [] : ['--mode', mode]),
      ...['--seconds', String(seconds), '--rate', String(rate), '--speed', String(speed)],
    ]);
  }

  /** Waits until the worker is warm, so that the runs are processed while they are being taken. */
  async #untilReady(manager: DemoProcess): Promise<void> {
    const { name } = this.#loaded.settings.host;
    const limit = performance.now() + READY_LIMIT_SECONDS * 1000;
    for (;;) {
      const status = await this.#readStatus();
      this.#screen.draw(drawStatus(status), eventsOf(status));
      const own = status.hosts.find(({ host }) => host === name);
      // The document of an earlier demo's manager may still be there.
      const isOurs = own !== undefined && own.pid === manager.pid;
      if (isOurs && own.accepting && own.worker !== WARMING) return;
      if (manager.exitCode !== null) throw ended(manager);
      if (performance.now() > limit) {
        throw new CommandFailure(
          1,
          `the manager takes no runs after ${READY_LIMIT_SECONDS} s: ` +
            `${own?.whyNot ?? own?.thinking ?? 'it has not reported'}; see ${manager.log}`,
        );
      }
      await this.#pause();
    }
  }

  async #watch(manager: DemoProcess, simulator: DemoProcess): Promise<number> {
    const { runs: wanted, exit, json, limitSeconds } = this.#options;
    const limit = performance.now() + limitSeconds * 1000;
    let isNoted = false;
    for (;;) {
      const status = await this.#readStatus();
      const runs = await this.#takenRuns(simulator);
      const allSettled = runs.length >= wanted && runs.every(isSettled);
      const drawn = [drawStatus(status), '', summary(runs, this.#loaded.settings)].join('\n');
      this.#screen.draw(drawn, [...eventsOf(status), ...runs.map(eventOf)]);
      if (allSettled && simulator.exitCode === 0) {
        if (exit) return this.#conclude(runs, json);
        if (!isNoted) this.#screen.note('All runs are taken and have ended. Ctrl-C ends the demo.');
        isNoted = true;
      }
      if (manager.exitCode !== null) throw ended(manager);
      if ((simulator.exitCode ?? 0) !== 0) throw ended(simulator);
      if (!isNoted && performance.now() > limit) {
        this.#conclude(runs, json);
        throw new CommandFailure(1, `the runs are not done after ${limitSeconds} s`);
      }
      try {
        await this.#pause();
      } catch (error) {
        // Ctrl-C is how a demo without --exit is meant to end.
        if (error instanceof Interrupted && isNoted) return this.#conclude(runs, json);
        throw error;
      }
    }
  }

  #conclude(runs: readonly RunView[], json: boolean): number {
    this.#screen.end();
    const ok = runs.length >= this.#options.runs && runs.every(({ state }) => state === 'done');
    if (json) printJson({ ok, runs });
    else print(`\n${summary(runs, this.#loaded.settings)}`);
    return ok ? 0 : 1;
  }

  #readStatus(): Promise<StatusView> {
    return readStatus(this.#store, this.#loaded.settings);
  }

  /** The runs that this demo's simulator has begun, lowest number first. */
  async #takenRuns(simulator: DemoProcess): Promise<RunView[]> {
    const text = await readFile(simulator.log, 'utf8');
    const numbers = new Set<number>();
    for (const line of text.split('\n')) {
      const event = parseEvent(line);
      if (event?.event === 'document' && typeof event.run === 'number') numbers.add(event.run);
    }
    const now = await this.#store.serverTime();
    const found = await Promise.all([...numbers].map((run) => this.#store.runs.byNumber(run)));
    return found
      .flat()
      .map((document) => runView(readRun(document), now))
      .sort((a, b) => (a.run ?? 0) - (b.run ?? 0));
  }

  async #pause(): Promise<void> {
    const options = { signal: this.#stop };
    await delay(LOOK_SECONDS * 1000, undefined, options).catch(() => undefined);
    if (this.#stop.aborted) throw new Interrupted();
  }

  async #endAll(): Promise<void> {
    process.stderr.write(style('dim', 'Ending what the demo has started ...\n'));
    for (const each of this.#processes.reverse()) await each.end();
    const { stopOrphans } = await import('../../host/list-orphans.ts');
    const { retireServers } = await import('../../../attempt/worker/find-server.ts');
    const { stateDir } = this.#loaded.settings.paths;
    await stopOrphans(stateDir);
    await retireServers(workersPath(stateDir));
  }
}

function ended(process_: DemoProcess): CommandFailure {
  return new CommandFailure(
    1,
    `${process_.name} has ended with exit code ${process_.exitCode}; the last of ${process_.log}:\n` +
      process_.lastLines(15),
  );
}

function isSettled({ state, outcome }: RunView): boolean {
  return state === 'done' || (outcome !== null && FINAL_OUTCOMES.includes(outcome));
}

/** Lines to be printed once each where there is no terminal to draw on. */
function eventsOf({ hosts }: StatusView): string[] {
  return hosts.map(({ host, whyNot, accepting, worker }) =>
    accepting ? `${host} takes runs; its worker: ${worker}` : `${host}: ${whyNot ?? 'starting'}`,
  );
}

function eventOf({ run, state, outcome }: RunView): string {
  const suffix = state === 'failed' && outcome !== null ? ` (${outcome})` : '';
  return `run ${run ?? '?'}: ${state ?? 'new'}${suffix}`;
}

function parseEvent(line: string): { event?: unknown; run?: unknown } | null {
  try {
    return JSON.parse(line) as { event?: unknown; run?: unknown };
  } catch {
    return null;
  }
}
