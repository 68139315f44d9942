import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { type Collection, type Db, MongoClient, type ObjectId } from 'mongodb';

import { serversOnDisk } from '../../src/attempt/worker/servers-on-disk.ts';
import { openStore } from '../../src/database/open.ts';
import { splitUrl } from '../../src/infra/config/connection.ts';
import { workersPath } from '../../src/infra/config/paths.ts';
import { isAlive, signalProcess } from '../../src/infra/linux/process-identity.ts';
import {
  findEmbedded,
  startEmbedded,
  stopEmbedded,
} from '../../src/infra/mongo/embedded/embedded-server.ts';
import { killProcessesOf } from './processes.ts';
import { type Configuration, smallMachine } from './small-machine.ts';
import { LOOK_MS, until } from './until.ts';
import type { WarmPython } from './warm-python.ts';

export { until } from './until.ts';

/** Root of the checkout. */
export const PACKAGE = resolve(import.meta.dirname, '../..');
export const PYTHON = process.env['BOOTSTRAX_PYTHON'] ?? join(PACKAGE, '.venv/bin/python');
/** For what stays as it is once it is there: to look costs server and test some milliseconds each. */
const LOOK_AT_LASTING_MS = 100;

export const SMALL_CONTEXT = 'bootstrax_worker.contexts.small:small';

/** A manager process as a user would start it. */
export class ManagerProcess {
  readonly lines: Record<string, unknown>[] = [];
  /** What it wrote outside its log lines. */
  text = '';
  readonly exited: Promise<number | null>;

  constructor(readonly child: ChildProcess) {
    this.exited = once(child, 'exit').then(([code]) => code as number | null);
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        try {
          this.lines.push(JSON.parse(line) as Record<string, unknown>);
        } catch {
          this.text += `${line}\n`;
        }
      });
    }
  }

  /** The first log line of this event (and these fields), once it is there. */
  async event(
    name: string,
    fields: Record<string, unknown> = {},
    patienceSeconds?: number,
  ): Promise<Record<string, unknown>> {
    const matches = (line: Record<string, unknown>) =>
      line['event'] === name && Object.entries(fields).every(([key, value]) => line[key] === value);
    const what = `log line ${name} ${JSON.stringify(fields)}`;
    const look = () => {
      if (this.child.exitCode !== null && !this.lines.some(matches)) {
        throw new Error(`the manager ended (${this.child.exitCode}) before ${name}`);
      }
      return this.lines.find(matches);
    };
    return until(what, look, patienceSeconds).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${this.story()}`, { cause: error });
    });
  }

  story(): string {
    return `${this.lines.map((line) => JSON.stringify(line)).join('\n')}\n${this.text}`;
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
    await this.exited;
  }
}

/** A run document as the tests look at it. */
export interface StoredRun {
  _id: ObjectId;
  number: number;
  start: Date;
  end: Date | null;
  status?: string;
  data: Record<string, unknown>[];
  bootstrax: {
    state: string | null;
    host?: string;
    time?: Date;
    started_processing?: Date;
    reason?: string;
    n_failures?: number;
    next_retry?: Date;
    attempt?: string;
    last_attempt?: string;
    outcome?: string;
    malformed?: { field: string; problem: string }[];
    plan?: {
      targets: string[];
      cores: number;
      max_messages: number;
      timeout: number;
      place?: string;
    };
  };
  [field: string]: unknown;
}

/** A document of the history of attempts as the tests look at it. */
export interface StoredAttempt {
  _id: string;
  run: number;
  host: string;
  failures: number;
  /** It makes up for what a done run lacks. */
  ofDebt?: boolean;
  plan: { targets: string[]; dropped: string[] };
  result: { outcome: string; counted: boolean; reason: string | null } | null;
}

export interface ManagerChoices {
  host?: string;
  /** That of a small machine by default. */
  config?: Configuration;
  env?: Record<string, string>;
  context?: string;
  /** Further arguments of `bootstrax run`. */
  args?: string[];
  /** A program, with its arguments, that runs the manager. */
  under?: string[];
  /** Root of the release whose manager it is, if not of this checkout. */
  release?: string;
}

/** An embedded database, folders and processes of one test file, all in a folder of its own. */
export class Lab {
  readonly #managers: ManagerProcess[] = [];
  readonly #children: ChildProcess[] = [];
  #count = 0;
  #isWarm = false;
  #warm: Promise<WarmPython> | null = null;

  readonly #ownServer: boolean;
  readonly url: string;
  readonly client: MongoClient;
  readonly runsDb: string;
  readonly daqDb: string;

  private constructor(
    readonly root: string,
    server: { url: string; client: MongoClient; isOwn: boolean },
    databases: { runs: string; daq: string },
  ) {
    ({ url: this.url, client: this.client, isOwn: this.#ownServer } = server);
    ({ runs: this.runsDb, daq: this.daqDb } = databases);
  }

  /**
   * `testCommands`: the embedded server obeys `failCommand`. `databases`: names that other programs
   * have fixed; the server is then one of its own, whatever the environment says. `warmPython`: workers
   * and checks are forks of one process, as simulators always are, for tests that do not ask whose
   * children they are.
   */
  static async start({
    testCommands = false,
    warmPython = true,
    databases,
  }: {
    testCommands?: boolean;
    warmPython?: boolean;
    databases?: { runs: string; daq: string };
  } = {}): Promise<Lab> {
    const root = await mkdtemp(join(tmpdir(), 'bootstrax-lab-'));
    const given = databases ? undefined : process.env['BOOTSTRAX_TEST_MONGO_URL'];
    const url =
      given ??
      (
        await startEmbedded({
          python: PYTHON,
          stateDir: join(root, 'database'),
          port: null,
          testCommands,
        })
      ).url;
    const client = await MongoClient.connect(url, given ? {} : { directConnection: true });
    const name = `lab_${process.pid}_${Math.random().toString(36).slice(2, 8)}`;
    const names = databases ?? { runs: `${name}_runs`, daq: `${name}_daq` };
    const lab = new Lab(root, { url, client, isOwn: !given }, names);
    for (const folder of ['live', 'out']) await mkdir(join(root, folder));
    const apart = splitUrl(url);
    const store = openStore(
      {
        runsUrl: apart.url,
        daqUrl: null,
        runsDb: lab.runsDb,
        daqDb: lab.daqDb,
        runsCredentials: apart.credentials,
        daqCredentials: apart.credentials,
        manage: true,
        callTimeoutSeconds: 30,
      },
      () => undefined,
    );
    await store.ensureIndexes();
    await store.close();
    lab.#isWarm = warmPython;
    return lab;
  }

  get runsDatabase(): Db {
    return this.client.db(this.runsDb);
  }

  get runs(): Collection<StoredRun> {
    return this.runsDatabase.collection<StoredRun>('runs');
  }

  get attempts(): Collection<StoredAttempt> {
    return this.runsDatabase.collection<StoredAttempt>('bootstrax_attempts');
  }

  /** Inserts a run document as it is, well-formed or not. */
  async insertRuns(...documents: Record<string, unknown>[]): Promise<ObjectId[]> {
    const { insertedIds } = await this.runsDatabase.collection('runs').insertMany(documents);
    return Object.values(insertedIds);
  }

  /**
   * Commands of managers fail at the server (which needs `testCommands`): each next one, or so many,
   * with an error code or, without one, by a closed connection. `times` 0 ends it.
   */
  async failCommands(
    failCommands: string[],
    { times, code }: { times: number | 'always'; code?: number },
  ): Promise<void> {
    const mode = times === 'always' ? 'alwaysOn' : { times };
    await this.client.db('admin').command({
      configureFailPoint: 'failCommand',
      mode: times === 0 ? 'off' : mode,
      data: {
        failCommands,
        appName: 'bootstrax',
        ...(code === undefined ? { closeConnection: true } : { errorCode: code }),
      },
    });
  }

  /** Sends a signal to the database server's process (SIGSTOP, SIGCONT, SIGKILL). */
  async signalServer(signal: NodeJS.Signals): Promise<void> {
    const server = await findEmbedded(join(this.root, 'database'));
    if (server === null) throw new Error('the database server does not run');
    process.kill(server.identity.pid, signal);
    if (signal === 'SIGKILL') {
      await until(
        'the database server to be gone',
        async () => (await findEmbedded(join(this.root, 'database'))) === null,
      );
    }
  }

  /** Starts the database server again, at the same port with the same data. */
  async startServer({ testCommands = false } = {}): Promise<void> {
    const stateDir = join(this.root, 'database');
    const { url } = await startEmbedded({ python: PYTHON, stateDir, port: null, testCommands });
    if (url !== this.url) throw new Error(`the server came back at ${url}, not at ${this.url}`);
  }

  async #warmPython(): Promise<string> {
    // They need this file themselves.
    const { sharedPython } = await import('./shared-python.ts');
    const shared = await sharedPython();
    if (shared !== null) return shared;
    this.#warm ??= import('./warm-python.ts').then(({ WarmPython }) => WarmPython.start(this.root));
    return (await this.#warm).path;
  }

  /** The process of its own that simulators are forks of, once there is one: it stays until the end. */
  async warmPythonPid(): Promise<number | undefined> {
    return (await this.#warm)?.pid;
  }

  get live(): string {
    return join(this.root, 'live');
  }

  get output(): string {
    return join(this.root, 'out');
  }

  /** The folder that an attempt alone writes to. */
  placeOf(attempt: string): string {
    return join(`${this.output}.staging`, attempt);
  }

  stateDir(host: string): string {
    return join(this.root, `state-${host}`);
  }

  /** Environment for `bin/bootstrax` and the simulator. */
  env(choices: ManagerChoices = {}): Record<string, string> {
    const host = choices.host ?? 'alpha.test.local';
    return {
      ...(process.env as Record<string, string>),
      BOOTSTRAX_MONGO_URL: this.url,
      BOOTSTRAX_RUNS_DB: this.runsDb,
      BOOTSTRAX_DAQ_DB: this.daqDb,
      BOOTSTRAX_HOST: host,
      BOOTSTRAX_ROLE: 'primary',
      BOOTSTRAX_LIVE_DATA: this.live,
      BOOTSTRAX_OUTPUT: this.output,
      BOOTSTRAX_STATE_DIR: this.stateDir(host),
      BOOTSTRAX_PYTHON: PYTHON,
      BOOTSTRAX_CONTEXT: choices.context ?? SMALL_CONTEXT,
      ...choices.env,
    };
  }

  /** Starts `bootstrax run`. */
  async manager(choices: ManagerChoices = {}): Promise<ManagerProcess> {
    const file = join(this.root, `config-${this.#count++}.toml`);
    await writeFile(file, (choices.config ?? smallMachine()).text, { mode: 0o600 });
    const [program = process.execPath, ...args] = [
      ...(choices.under ?? []),
      ...[process.execPath, join(choices.release ?? PACKAGE, 'bin/bootstrax'), 'run'],
      ...['--config', file],
      ...(choices.args ?? []),
    ];
    const python = this.#isWarm ? await this.#warmPython() : PYTHON;
    const env = { BOOTSTRAX_PYTHON: python, ...choices.env };
    const child = spawn(program, args, {
      env: this.env({ ...choices, env }),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const manager = new ManagerProcess(child);
    this.#managers.push(manager);
    return manager;
  }

  /** Runs `bin/bootstrax` to its end. */
  async command(
    args: string[],
    choices: ManagerChoices = {},
  ): Promise<{ code: number; stdout: string; stderr: string }> {
    const file = join(this.root, `config-${this.#count++}.toml`);
    await writeFile(file, (choices.config ?? smallMachine()).text, { mode: 0o600 });
    return this.#output(process.execPath, [join(PACKAGE, 'bin/bootstrax'), ...args], {
      ...this.env(choices),
      BOOTSTRAX_CONFIG: file,
    });
  }

  /** Takes runs with the simulator; answers when it has ended. Run numbers are in the order taken. */
  async takeRuns(args: string[]): Promise<number[]> {
    const { code, stdout, stderr } = await this.#output(
      await this.#warmPython(),
      [
        ...['-m', 'bootstrax_worker.simulator', '--mongo-url', this.url, '--runs-db', this.runsDb],
        ...['--daq-db', this.daqDb, '--live-data', this.live, '--json', ...args],
      ],
      { ...(process.env as Record<string, string>), PYTHONPATH: join(PACKAGE, 'worker') },
    );
    if (code !== 0) throw new Error(`the simulator failed (${code}): ${stderr}`);
    const numbers = stdout
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => (JSON.parse(line) as { run?: number }).run)
      .filter((run) => run !== undefined);
    return [...new Set(numbers)];
  }

  async run(number: number): Promise<StoredRun> {
    const document = await this.runs.findOne({ number });
    if (document === null) throw new Error(`there is no run ${number}`);
    return document;
  }

  /** Folders that the attempt in work at a run has begun in its place. */
  async begun(number: number): Promise<string[]> {
    const place = (await this.run(number)).bootstrax.plan?.place;
    return place === undefined ? [] : readdir(place).catch(() => []);
  }

  /** The run document once its state is one of these. */
  async reached(number: number, states: string[], patienceSeconds?: number): Promise<StoredRun> {
    let last: unknown;
    try {
      return await until(
        `run ${number} to be ${states.join(' or ')}`,
        async () => {
          const document = await this.run(number);
          last = document.bootstrax;
          const state = document.bootstrax?.state ?? 'null';
          return states.includes(state) ? document : null;
        },
        patienceSeconds,
        states.every((state) => state === 'done') ? LOOK_AT_LASTING_MS : LOOK_MS,
      );
    } catch (error) {
      const stories = this.#managers.map((manager) => manager.story()).join('\n---\n');
      throw new Error(`${String(error)}; last: ${JSON.stringify(last)}\n${stories}`, {
        cause: error,
      });
    }
  }

  /** Text of a file of the newest attempt at a run, for messages. */
  async attemptFile(host: string, attempt: string, name: string): Promise<string> {
    return readFile(join(this.stateDir(host), 'attempts', attempt, name), 'utf8');
  }

  async end(): Promise<void> {
    await this.endCommands();
    await this.endManagers();
    await this.endWorkers();
    await (await this.#warm)?.end();
    if (!this.#ownServer) {
      await this.client.db(this.runsDb).dropDatabase();
      await this.client.db(this.daqDb).dropDatabase();
    }
    await this.client.close();
    if (this.#ownServer) await stopEmbedded(join(this.root, 'database'));
    // An attempt outlives its manager, and writes until it is gone.
    await killProcessesOf(this.root);
    await rm(this.root, { recursive: true, force: true });
  }

  async endManagers(): Promise<void> {
    await Promise.all(this.#managers.splice(0).map((manager) => manager.kill()));
  }

  /** Kills the fork servers of one host, or of all, which wait for a manager. */
  async endWorkers(host?: string): Promise<void> {
    const folders =
      host === undefined
        ? (await readdir(this.root)).filter((name) => name.startsWith('state-'))
        : [basename(this.stateDir(host))];
    for (const { identity } of folders.flatMap((name) =>
      serversOnDisk(workersPath(join(this.root, name))),
    )) {
      signalProcess(identity, 'SIGKILL');
      await until('a fork server to end', () => !isAlive(identity));
    }
  }

  /** Ends commands and simulators that still run. */
  async endCommands(): Promise<void> {
    const running = this.#children.filter(
      ({ exitCode, signalCode }) => exitCode === null && signalCode === null,
    );
    await Promise.all(
      running.map(async (child) => {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }),
    );
  }

  async #output(
    command: string,
    args: string[],
    env: Record<string, string>,
  ): Promise<{ code: number; stdout: string; stderr: string }> {
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#children.push(child);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (piece: Buffer) => (stdout += piece.toString()));
    child.stderr.on('data', (piece: Buffer) => (stderr += piece.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code: code ?? -1, stdout, stderr };
  }
}
