import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { Lab, PACKAGE, PYTHON, until } from '../support/lab.ts';

/** Names that the programs of the tool chain have written into them, or into the site's file. */
export const RUNS_DB = 'xenonnt';
export const DAQ_DB = 'daq';

/** This folder, also where these sources are bundled into one file. */
const HERE = join(PACKAGE, 'tests/toolchain');

const USER = 'toolchain';
export const PASSWORD = 'only-for-this-test';

/** The reference's table of time-outs, for a test of seconds; unnamed ones stay as they are. */
export interface ReferenceTimes {
  check_on_strax?: number;
  max_busy_time?: number;
  max_considering_time?: number;
  cleanup_spacing?: number;
  idle_nap?: number;
  retry_run?: number;
  bootstrax_presumed_dead?: number;
  min_data_rate_infer_time?: number;
  max_data_rate_infer_time?: number;
}

/** Flags with which one run takes one core, whatever failed before. */
export const REFERENCE_FLAGS = [
  ...['--production', '--cores', '1', '--max_messages', '4', '--fix_resources'],
];

/** A manager of the reference: a fork of the nursery, in a session of its own. */
export class ReferenceManager {
  code: number | null = null;

  constructor(
    readonly host: string,
    readonly pid: number,
    readonly log: string,
  ) {}

  get ended(): boolean {
    return this.code !== null;
  }

  /** Sends the manager alone a signal: its strax child lives on, as on an event builder. */
  signal(signal: NodeJS.Signals): void {
    if (!this.ended) process.kill(this.pid, signal);
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.end();
  }

  async end(): Promise<void> {
    await until(`the reference's manager of ${this.host} to end`, () => this.ended);
  }

  /** Ends whatever is left of its session. */
  killAll(): void {
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  async story(): Promise<string> {
    return `${this.host} (${this.pid}):\n${await readFile(this.log, 'utf8').catch(String)}`;
  }
}

/**
 * A site as the tool chain knows it: a server whose users have passwords, both databases by their
 * names, and the file through which utilix finds them.
 */
export class Site {
  readonly #references: ReferenceManager[] = [];
  #nursery: { process: ChildProcess; text: string } | null = null;
  #requests = 0;
  #starting = new Map<number, (pid: number) => void>();
  #byRequest = new Map<number, ReferenceManager>();

  private constructor(readonly lab: Lab) {}

  static async start(): Promise<Site> {
    const lab = await Lab.start({ databases: { runs: RUNS_DB, daq: DAQ_DB } });
    await lab.client
      .db('admin')
      .command({ createUser: USER, pwd: PASSWORD, roles: [{ role: 'root', db: 'admin' }] });
    // The embedded server may stand still if a collection is made while others write.
    await lab.runsDatabase.createCollection('online_monitor');
    await lab.client.db(DAQ_DB).createCollection('bootstrax_config');
    const site = new Site(lab);
    await writeFile(site.configuration, xenonConfiguration(new URL(lab.url).host), { mode: 0o600 });
    return site;
  }

  get configuration(): string {
    return join(this.lab.root, 'xenon_config');
  }

  /** Environment of a Python program of the tool chain; it has no other way to find a database. */
  get env(): Record<string, string> {
    return {
      ...(process.env as Record<string, string>),
      HOME: this.lab.root,
      XENON_CONFIG: this.configuration,
      PYTHONPATH: join(PACKAGE, 'worker'),
      OPENBLAS_NUM_THREADS: '1',
      OMP_NUM_THREADS: '1',
    };
  }

  /** Folder for data that bootstrax made on one host: event builders share none. */
  output(host: string): string {
    return join(this.lab.root, host, 'pre_processed');
  }

  /** Folder to which restrax takes it. */
  processed(host: string): string {
    return join(this.lab.root, host, 'processed');
  }

  async makeOutput(...hosts: string[]): Promise<void> {
    for (const host of hosts) await mkdir(this.output(host), { recursive: true });
  }

  /** Starts the process whose forks the reference's managers are. */
  async openNursery(): Promise<void> {
    const process = spawn(PYTHON, [join(HERE, 'reference_nursery.py')], {
      env: this.env,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const nursery = { process, text: '' };
    this.#nursery = nursery;
    process.stderr.on('data', (piece: Buffer) => (nursery.text += piece.toString()));
    let ready = false;
    createInterface({ input: process.stdout }).on('line', (line) => {
      if (!line.startsWith('{')) return;
      const said = JSON.parse(line) as {
        event: string;
        id: number;
        pid: number;
        code: number;
      };
      if (said.event === 'ready') ready = true;
      if (said.event === 'started') this.#starting.get(said.id)!(said.pid);
      if (said.event === 'ended') this.#byRequest.get(said.id)!.code = said.code;
    });
    await until('the nursery of the reference', () => {
      if (process.exitCode !== null) throw new Error(`the nursery ended:\n${nursery.text}`);
      return ready;
    });
  }

  /** Starts a manager of the reference. `dieAt`: it is killed between two writes; see the nursery. */
  reference(
    host: string,
    {
      times = {},
      seed = 1,
      dieAt = null,
      flags = [],
    }: {
      times?: ReferenceTimes;
      seed?: number;
      dieAt?: 'claimed' | 'done' | null;
      flags?: string[];
    } = {},
  ): Promise<ReferenceManager> {
    const id = this.#requests++;
    const log = join(this.lab.root, `reference-${host}-${id}.log`);
    const started = new Promise<ReferenceManager>((resolve) =>
      this.#starting.set(id, (pid) => {
        const manager = new ReferenceManager(host, pid, log);
        this.#references.push(manager);
        this.#byRequest.set(id, manager);
        resolve(manager);
      }),
    );
    const request = {
      id,
      host,
      argv: [...REFERENCE_FLAGS, ...flags],
      output: this.output(host),
      directory: join(this.lab.root, `work-${host}`),
      log,
      seed,
      timeouts: times,
      dieAt,
    };
    this.#nursery!.process.stdin!.write(`${JSON.stringify(request)}\n`);
    return started;
  }

  /** Starts a manager of the reference as the program that it is on an event builder, not as a fork. */
  async referenceProgram(
    host: string,
    times: ReferenceTimes = {},
    output = this.output(host),
  ): Promise<ReferenceManager> {
    const id = this.#requests++;
    const log = join(this.lab.root, `reference-${host}-${id}.log`);
    const directory = join(this.lab.root, `work-${host}`);
    await mkdir(directory, { recursive: true });
    const program = join(directory, 'bootstrax');
    await copyFile(join(HERE, 'reference_program.py'), program);
    const request = {
      ...{ host, argv: REFERENCE_FLAGS, output, timeouts: times },
      dieAt: null,
    };
    const words = await open(log, 'a');
    const child = spawn(PYTHON, [program], {
      cwd: directory,
      detached: true,
      env: {
        ...this.env,
        PYTHONPATH: `${join(PACKAGE, 'worker')}:${HERE}`,
        REFERENCE_REQUEST: JSON.stringify(request),
      },
      stdio: ['ignore', words.fd, words.fd],
    });
    await words.close();
    const manager = new ReferenceManager(host, child.pid!, log);
    child.on('exit', (code) => (manager.code = code ?? 1));
    this.#references.push(manager);
    return manager;
  }

  /** Runs a Python program of the tests to its end and answers its last line as JSON. */
  async python(
    program: string,
    args: string[],
    env: Record<string, string> = {},
  ): Promise<unknown> {
    const child = spawn(PYTHON, [join(HERE, program), ...args], {
      env: { ...this.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (piece: Buffer) => (stdout += piece.toString()));
    child.stderr.on('data', (piece: Buffer) => (stderr += piece.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0) throw new Error(`${program} ended with ${code}:\n${stdout}\n${stderr}`);
    return JSON.parse(stdout.trim().split('\n').at(-1)!);
  }

  async stories(): Promise<string> {
    const stories = await Promise.all(this.#references.map((reference) => reference.story()));
    return stories.join('\n----\n');
  }

  /** Ends the managers of both kinds, and what they have begun. */
  async endManagers(): Promise<void> {
    for (const reference of this.#references.splice(0)) reference.killAll();
    await this.lab.endManagers();
  }

  async end(): Promise<void> {
    for (const reference of this.#references) reference.killAll();
    const nursery = this.#nursery?.process;
    if (nursery !== undefined && nursery.exitCode === null) {
      nursery.kill('SIGKILL');
      await once(nursery, 'exit');
    }
    await this.lab.end();
  }
}

/**
 * A site's utilix file. Of several servers utilix takes the last; the first here does not exist,
 * which only programs that go through utilix may be given.
 */
function xenonConfiguration(server: string): string {
  const account = (prefix: string, user: string, databases: boolean) => [
    `${prefix}_${user} = ${USER}`,
    `${prefix}_password = ${PASSWORD}`,
    ...(databases ? [`${prefix}_database = ${RUNS_DB}`] : []),
  ];
  return [
    '[RunDB]',
    'rundb_api_url = http://127.0.0.1:1/',
    `xent_url = 127.0.0.1:1,${server}`,
    ...account('xent', 'user', true),
    `pymongo_url = ${server}`,
    ...account('pymongo', 'user', true),
    '[rundb_admin]',
    `mongo_rdb_url = ${server}`,
    ...account('mongo_rdb', 'username', true),
    `mongo_daq_url = ${server}`,
    ...account('mongo_daq', 'username', false),
    '',
  ].join('\n');
}
