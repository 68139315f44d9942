import { OUTPUT_DIRECTORY } from './disk.ts';
import type { Foreigner, SimulatedHost } from './host.ts';
import { Process } from './process.ts';
import type { Random } from './random.ts';
import type { Time } from './time.ts';

export interface ReferenceChildOptions {
  time: Time;
  random: Random;
  /** Null: its folders are looked at by nobody. */
  home: SimulatedHost | null;
  run: number;
  /** Of the host, in the entries that it writes. */
  name: string;
  /** Its manager is gone. */
  isOrphan: () => boolean;
  register: (entry: { type: string; host: string; location: string }) => void;
}

/** Strax processes of reference managers have no attempt: these names tell them apart. */
const KIND = 'reference';
const TYPES = ['raw_records', 'peaks'];
/** Between two chunks, seconds. */
const CHUNK_SECONDS = 5;

/** Strax as the program before this one starts it: it lives on without its manager. */
export class ReferenceChild implements Foreigner {
  readonly attempt: string;
  readonly locations: string[] = [];
  readonly run: number;
  readonly pid: number;
  /** It has made all that it was to make. */
  well = false;
  readonly #options: ReferenceChildOptions;
  readonly #process: Process;

  constructor(options: ReferenceChildOptions) {
    const { time, random, run } = options;
    this.#options = options;
    this.run = run;
    this.pid = options.home?.newIdentity().pid ?? 0;
    this.attempt = `${KIND} ${random.hex(4)}`;
    this.#process = new Process(time);
    const seconds = random.chance(0.3) ? random.between(60, 300) : random.between(5, 60);
    TYPES.forEach((type, i) =>
      this.#process.after(seconds * (0.1 + 0.2 * i), () => this.#make(type)),
    );
    this.#process.after(CHUNK_SECONDS, () => this.#goOn());
    const fails = random.chance(0.3);
    this.#process.after(seconds, () => (fails ? this.vanish() : this.#finish()));
  }

  get straxAlive(): boolean {
    return this.#process.alive;
  }

  get stopped(): boolean {
    return this.#process.stopped;
  }

  get orphan(): boolean {
    return this.#options.isOrphan();
  }

  get over(): boolean {
    return !this.straxAlive;
  }

  vanish(): void {
    this.#process.kill();
    this.#options.home?.foreigners.delete(this);
  }

  #make(type: string): void {
    const { home, name, run, register } = this.#options;
    const runId = String(run).padStart(6, '0');
    const location = `${OUTPUT_DIRECTORY}/${runId}-${type}-hash`;
    this.locations.push(location);
    home?.disk.beginOutput({
      ...{ location, runId, type, attempt: this.attempt, makers: new Set([this.attempt]) },
      word: { kind: 'silent' },
      ...{ finished: false, product: null },
    });
    register({ type, host: name, location });
  }

  #goOn(): void {
    const { disk } = this.#options.home ?? {};
    if (this.locations.some((location) => disk?.writeOutput(location, this.attempt) === false)) {
      return this.vanish();
    }
    this.#process.after(CHUNK_SECONDS, () => this.#goOn());
  }

  #finish(): void {
    const { disk } = this.#options.home ?? {};
    this.well = this.locations.every(
      (location) => disk?.finishOutput(location, null, this.attempt) !== false,
    );
    this.vanish();
  }
}

/** Made by a program that is not ours? */
export function isForeign(attempt: string): boolean {
  return attempt.startsWith(KIND);
}
