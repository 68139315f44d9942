import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { Document } from 'mongodb';

import { Lab, PACKAGE, PYTHON } from '../../support/lab.ts';

const UNDISTURBED = 'undisturbed.test.local';
const TAKE = ['--seconds', '3', '--chunk-seconds', '1', '--speed', '0', '--rate', '5'];

/** What `compare_data.py` prints. */
interface Comparison {
  rows: Record<string, number>;
  differences: string[];
  loaded: Record<string, number>;
}

/**
 * A laboratory with one run that was processed undisturbed: each trial processes the same live data
 * under a number of its own, and must end with the same products.
 */
export class Lane {
  readonly #comparerEnded: Promise<never>;
  #count = 0;

  readonly #template: Document;
  readonly #comparer: ChildProcess;
  readonly #answers: Interface;

  private constructor(
    readonly lab: Lab,
    /** The undisturbed run's document, without what processing has added. */
    template: Document,
    readonly undisturbed: { number: number; products: string[] },
    /** What managers take for Python. */
    readonly python: string,
  ) {
    this.#template = template;
    const comparer = spawn(PYTHON, [join(PACKAGE, 'tests/support/compare_data.py')], {
      env: { ...process.env, PYTHONPATH: join(PACKAGE, 'worker') },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#comparer = comparer;
    this.#answers = createInterface({ input: comparer.stdout });
    this.#comparerEnded = once(comparer, 'exit').then(() => {
      throw new Error('the data could not be loaded: see standard error');
    });
    this.#comparerEnded.catch(() => undefined);
  }

  static async start(python: string): Promise<Lane> {
    const lab = await Lab.start({ warmPython: false });
    const manager = await lab.manager({ host: UNDISTURBED });
    const [number] = await lab.takeRuns(TAKE);
    const { _id, bootstrax, status, data, ...fields } = await lab.reached(number!, ['done']);
    await manager.event('attempt.ended', { run: number, outcome: 'done' });
    await manager.kill();
    const lane = new Lane(
      lab,
      { ...fields, data: data.filter(({ type }) => type === 'live') },
      { number: number!, products: (await readdir(lab.output)).sort() },
      python,
    );
    await lane.forgetHost(UNDISTURBED);
    return lane;
  }

  async end(): Promise<void> {
    this.#comparer.kill('SIGKILL');
    await this.lab.end();
  }

  /** A number that no run has yet, with the live data of the undisturbed run. */
  async newNumber(): Promise<number> {
    const number = this.undisturbed.number + 100 + this.#count++;
    await symlink(this.undisturbedLive, join(this.lab.live, runIdOf(number)));
    return number;
  }

  get undisturbedLive(): string {
    return join(this.lab.live, runIdOf(this.undisturbed.number));
  }

  /** Entries in `data` of a run that was not processed yet. */
  get liveEntries(): Document[] {
    return this.#template['data'] as Document[];
  }

  async insertRun(number: number, changes: Document): Promise<void> {
    await this.lab.insertRuns({
      ...structuredClone(this.#template),
      number,
      bootstrax: { state: null },
      ...changes,
    });
  }

  /** Notes of an earlier life: a manager that has them claims before its worker is warm. */
  async seed(stateDir: string): Promise<void> {
    await mkdir(stateDir, { recursive: true });
    const from = this.lab.stateDir(UNDISTURBED);
    for (const name of await readdir(from)) {
      if (/^(graph-.*|context-imported)\.json$/.test(name)) {
        await copyFile(join(from, name), join(stateDir, name));
      }
    }
  }

  /** A host that is gone, and free for all that anybody knows, is left the first try of what comes. */
  async forgetHost(host: string): Promise<void> {
    await this.lab.runsDatabase.collection('bootstrax').deleteMany({ host });
  }

  /** Names of the products that a run of this number has in the end. */
  productsOf(number: number): string[] {
    return this.undisturbed.products.map((name) =>
      name.replace(runIdOf(this.undisturbed.number), runIdOf(number)),
    );
  }

  /** Loads what is stored of a run, by itself and through the plan's context, beside the undisturbed one. */
  async compare(number: number, planFile: string): Promise<Comparison> {
    const reference = join(this.lab.root, `reference-${number}`);
    await mkdir(reference);
    for (const name of this.undisturbed.products) {
      const same = name.replace(runIdOf(this.undisturbed.number), runIdOf(number));
      await symlink(join(this.lab.output, name), join(reference, same));
    }
    this.#comparer.stdin!.write(`${planFile} ${this.lab.output} ${reference}\n`);
    const line = await Promise.race([
      once(this.#answers, 'line') as Promise<[string]>,
      this.#comparerEnded,
    ]);
    return JSON.parse(line[0]) as Comparison;
  }
}

export function runIdOf(number: number): string {
  return String(number).padStart(6, '0');
}

/** Lanes that trials take and give back; a trial waits until one is free. */
export class Lanes {
  readonly #free: Lane[];
  readonly #waiting: ((lane: Lane) => void)[] = [];

  readonly #all: readonly Lane[];

  constructor(all: readonly Lane[]) {
    this.#all = all;
    this.#free = [...all];
  }

  async use<T>(work: (lane: Lane) => Promise<T>): Promise<T> {
    const lane =
      this.#free.pop() ?? (await new Promise<Lane>((resolve) => this.#waiting.push(resolve)));
    try {
      return await work(lane);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free.push(lane);
      else next(lane);
    }
  }

  async end(): Promise<void> {
    await Promise.all(this.#all.map((lane) => lane.end()));
  }
}
