import { readFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Document } from 'mongodb';
import { expect } from 'vitest';

import { readWord } from '../../../src/attempt/files/ownership.ts';
import type { CrashPoint } from '../../../src/infra/crash-points/points.ts';
import {
  type Lab,
  type ManagerChoices,
  type ManagerProcess,
  type StoredRun,
  until,
} from '../../support/lab.ts';
import { killProcessesOf, processesOf } from '../../support/processes.ts';
import { type Changes, smallMachine } from '../../support/small-machine.ts';
import { type Lane, runIdOf } from './lane.ts';

/** Looking more often would cost more than what is looked at. */
const LOOK_MS = 100;

/** A crash point, or one with a passage. */
export type Cut = CrashPoint | `${CrashPoint}#${number}`;

/** A manager in a trial; settings are changed as given. */
export interface TrialManager {
  cut?: Cut;
  /** Options of the small context. */
  contextOptions?: Record<string, string | number>;
  /** Changes in the configuration of a small machine. */
  config?: Changes;
  context?: string;
  /** The host beside the trial's, which shares its output folder. */
  elsewhere?: boolean;
}

/** One run on one host of its own: its processes may be cut anywhere. */
export class Trial {
  readonly host: string;
  /** Another one with the same output folder, which may take the run over. */
  readonly heir: string;
  readonly runId: string;
  readonly #managers: ManagerProcess[] = [];

  private constructor(
    readonly lane: Lane,
    readonly number: number,
  ) {
    this.host = `host${number}.test.local`;
    this.heir = `heir${number}.test.local`;
    this.runId = runIdOf(number);
  }

  static async begin(lane: Lane): Promise<Trial> {
    const trial = new Trial(lane, await lane.newNumber());
    for (const host of trial.hosts) await lane.seed(trial.lab.stateDir(host));
    return trial;
  }

  get lab(): Lab {
    return this.lane.lab;
  }

  get stateDir(): string {
    return this.lab.stateDir(this.host);
  }

  get hosts(): string[] {
    return [this.host, this.heir];
  }

  /** Where attempts have folders of their own until their products are published. */
  get staging(): string {
    return `${this.lab.output}.staging`;
  }

  get liveFolder(): string {
    return join(this.lab.live, this.runId);
  }

  get attemptsDir(): string {
    return join(this.stateDir, 'attempts');
  }

  /** Inserts the run, as the data acquisition does unless changed. */
  async insert(changes: Document = {}): Promise<void> {
    await this.lane.insertRun(this.number, changes);
  }

  async set(fields: Document): Promise<void> {
    await this.lab.runs.updateOne({ number: this.number }, { $set: fields });
  }

  async run(): Promise<StoredRun> {
    return this.lab.run(this.number);
  }

  async manager({ cut, contextOptions, config, context, elsewhere }: TrialManager = {}) {
    const choices: ManagerChoices = {
      host: elsewhere === true ? this.heir : this.host,
      config: smallMachine({
        ...config,
        ...(contextOptions === undefined ? {} : { worker: { ...config?.worker, contextOptions } }),
      }),
      env: {
        // Only so are the products those of the undisturbed run after one failure as well.
        BOOTSTRAX_SHEDDING: 'reference',
        BOOTSTRAX_PYTHON: this.lane.python,
        ...(cut === undefined ? {} : { BOOTSTRAX_CRASH_AT: cut }),
      },
      ...(context === undefined ? {} : { context }),
    };
    const manager = await this.lab.manager(choices);
    this.#managers.push(manager);
    return manager;
  }

  /** A person's command. */
  async succeed(args: string[]): Promise<void> {
    const { code, stderr } = await this.lab.command(args, { host: this.host });
    expect(code, stderr).toBe(0);
  }

  async cutInCommand(args: string[], cut: Cut): Promise<void> {
    const env = { BOOTSTRAX_CRASH_AT: cut };
    const { stderr } = await this.lab.command(args, { host: this.host, env });
    expect(stderr).toContain(saidAt(cut));
  }

  /** Waits until the power was cut in this manager, at this point and not otherwise. */
  async cutIn(manager: ManagerProcess, cut: Cut): Promise<void> {
    await until(`the manager of ${this.host} to be cut at ${cut}`, () => {
      const { exitCode, signalCode } = manager.child;
      if (exitCode !== null) {
        throw new Error(`the manager ended (${exitCode}) without a cut: ${manager.story()}`);
      }
      return signalCode;
    }).catch((error: unknown) => {
      throw new Error(`${cut} was not reached: ${String(error)}\n${manager.story()}`);
    });
    expect(manager.child.signalCode).toBe('SIGKILL');
    expect(manager.text).toContain(saidAt(cut));
  }

  /** Waits until the power was cut in guardian or child. */
  async cutInWorker(manager: ManagerProcess, cut: Cut): Promise<void> {
    await until(`a process of run ${this.number} to be cut at ${cut}`, async () => {
      const logs = (await namesIn(this.attemptsDir)).map((id) => join(this.attemptsDir, id));
      return logs.some((directory) => textOf(join(directory, 'log.txt')).includes(saidAt(cut)));
    }).catch((error: unknown) => {
      throw new Error(`${cut} was not reached: ${String(error)}\n${manager.story()}`);
    });
  }

  /** Waits until the power was cut in a fork server. */
  async cutInServer(cut: Cut): Promise<void> {
    const log = join(this.stateDir, 'worker.log');
    await until(`a fork server of ${this.host} to be cut at ${cut}`, () =>
      textOf(log).includes(saidAt(cut)),
    );
  }

  /** As if the time had passed for which a run waits after a cut elsewhere. */
  async #makeDue(): Promise<void> {
    await this.lab.runs.updateOne(
      {
        number: this.number,
        'bootstrax.state': 'failed',
        'bootstrax.next_retry': { $gt: new Date(Date.now() + 60_000) },
      },
      { $set: { 'bootstrax.next_retry': new Date() } },
    );
  }

  /** Waits until the run is done and nothing of it is left to do. */
  async done(): Promise<void> {
    const story = () => this.#managers.map((manager) => manager.story()).join('\n---\n');
    let left = '';
    await until(`run ${this.number} to be done and settled`, async () => {
      await delay(LOOK_MS);
      left = await this.#leftToDo();
      return left === '';
    }).catch(async (error: unknown) => {
      const { bootstrax } = await this.run();
      throw new Error(`${String(error)}: ${left}; last: ${JSON.stringify(bootstrax)}\n${story()}`);
    });
  }

  async #leftToDo(): Promise<string> {
    const { bootstrax, status } = await this.run();
    if (bootstrax.state === 'failed') await this.#makeDue();
    if (bootstrax.state !== 'done') return 'the run is not done';
    if (status !== 'eb_finished_pre') return 'the run is not handed on';
    const history = await this.lab.attempts.find({ run: this.number }).toArray();
    if (history.some(({ result }) => result === null))
      return 'an attempt has no end in the history';
    for (const host of this.hosts) {
      const attempts = join(this.lab.stateDir(host), 'attempts');
      for (const name of await namesIn(attempts)) {
        if (!(await namesIn(join(attempts, name))).includes('concluded')) {
          return `the attempt directory ${name} on ${host} is not concluded`;
        }
      }
    }
    // What a lost attempt has finished goes with a clean-up after the run is done.
    const places = (await namesIn(this.staging)).filter((name) => /^[0-9a-f]{24}$/.test(name));
    const left = history.find(({ _id }) => places.includes(String(_id)));
    if (left !== undefined) return `the place of attempt ${String(left._id)} is left`;
    return '';
  }

  /**
   * The end state that any interruption must come to. `isTakenOver`: the other host may have done the
   * run as well.
   */
  async expectTheEndState(failures: number, { isTakenOver = false } = {}): Promise<void> {
    for (const manager of this.#managers) await manager.kill();
    for (const host of this.hosts) await this.lab.endWorkers(host);
    const run = await this.run();
    expect(run.bootstrax.state).toBe('done');
    expect(run.bootstrax.n_failures ?? 0).toBe(failures);
    expect(run.bootstrax.attempt).toBeUndefined();
    const host = String(run.bootstrax.host);
    expect(isTakenOver ? this.hosts : [this.host]).toContain(host);

    const history = await this.lab.attempts.find({ run: this.number }).toArray();
    const done = history.filter(({ result }) => result?.outcome === 'done');
    const last = String(run.bootstrax.last_attempt);
    expect(done.filter(({ ofDebt }) => !ofDebt).map(({ _id }) => _id)).toEqual([last]);

    // Each product once on disk and once in the document, and nothing else of this run.
    const products = this.lane.productsOf(this.number);
    const stored = (await readdir(this.lab.output)).filter((name) => name.startsWith(this.runId));
    expect(stored.sort()).toEqual(products);
    const locations = products.map((name) => join(this.lab.output, name));
    const entries = run.data.filter((entry) => this.hosts.includes(String(entry['host'])));
    expect(entries.map((entry) => entry['location']).sort()).toEqual(locations);
    expect(new Set(entries.map((entry) => entry['host']))).toEqual(new Set([host]));
    const makers = done.map(({ _id }) => _id);
    for (const location of locations) {
      const word = await readWord(location);
      expect(word.kind === 'says' && makers.includes(word.attempt), location).toBe(true);
    }
    expect(await this.#staged()).toEqual([]);
    const plan = join(this.lab.stateDir(host), 'attempts', last, 'plan.json');
    const { differences, loaded } = await this.lane.compare(this.number, plan);
    expect(differences).toEqual([]);
    expect(Object.keys(loaded).length).toBeGreaterThan(0);

    for (const each of this.hosts) {
      const attempts = await namesIn(join(this.lab.stateDir(each), 'attempts'));
      expect(attempts.filter((name) => !/^[0-9a-f]{24}$/.test(name))).toEqual([]);
    }
    const attempts = history.map(({ _id }) => _id);
    const memory = await readdir('/dev/shm');
    expect(memory.filter((name) => attempts.some((id) => name.includes(id)))).toEqual([]);
    for (const each of this.hosts) {
      const left = () => processesOf(this.lab.stateDir(each));
      await until(`all processes of ${each} to end`, () => left().length === 0, 20);
    }
  }

  /** What is left where attempts have folders of their own. */
  async #staged(): Promise<string[]> {
    const names = await namesIn(this.staging);
    return names.filter((name) => !name.startsWith('000000-probe-'));
  }

  /** Leaves nothing behind that could disturb the next trial in this laboratory. */
  async end(): Promise<void> {
    for (const manager of this.#managers) await manager.kill();
    for (const host of this.hosts) await killProcessesOf(this.lab.stateDir(host));
    await this.lab.runs.deleteMany({ number: this.number });
    for (const host of this.hosts) await this.lane.forgetHost(host);
    await rm(this.staging, { recursive: true, force: true });
  }
}

/** What a process says last when it is cut there. */
export function saidAt(cut: Cut): string {
  return `crash point ${cut.replace(/#\d+$/, '')}: killed here\n`;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

async function namesIn(directory: string): Promise<string[]> {
  return readdir(directory).catch(() => []);
}
