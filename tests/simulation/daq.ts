import { type Document, ObjectId } from 'mongodb';

import type { Plan } from '../../src/attempt/attempt.pure.ts';
import type { Behaviour, Task } from './child.ts';
import type { SimulatedHost } from './host.ts';
import { fieldsOf } from './invariants.ts';
import { anyDamage, atRead, type Damage, UNDAMAGED } from './live-files.ts';
import type { Random } from './random.ts';
import { LIVE_DATA } from './seat.ts';
import type { MemoryDatabase } from './store/index.ts';
import type { Time } from './time.ts';

/** A run as it really is, whatever its document says. */
export interface RealRun {
  readonly number: number;
  readonly id: ObjectId;
  readonly startMs: number;
  /** When it ends, or ended. */
  readonly endMs: number;
  /** What the attempts at it do, one after the other; the last for ever. */
  readonly behaviours: Behaviour[];
  readonly seconds: number;
  /** Its document cannot be processed. */
  readonly malformed: boolean;
  readonly liveDataFromMs: number;
  readonly damage: Damage;
}

const MALFORMED: Document[] = [
  { data: null },
  { data: [] },
  { detectors: null },
  { start: 'yesterday' },
  { tags: 'messy' },
  { daq_config: 7 },
  { bootstrax: { state: null, n_failures: 'many' } },
];

/** How often a task takes the whole lease, and not a part of it. */
const LONG_TASKS = 0.25;

/** Takes the runs of one simulation. */
export class Daq {
  /** The first of each number. */
  readonly runs = new Map<number, RealRun>();
  /** By the document's id. */
  readonly #byId = new Map<string, RealRun>();
  readonly #time: Time;
  readonly #random: Random;
  readonly #database: MemoryDatabase;
  readonly #carriedOut: (author: string) => void;
  #ids = 1;
  /** Not all that the readers wrote can be read. */
  damages = false;

  constructor(
    time: Time,
    random: Random,
    database: MemoryDatabase,
    carriedOut: (author: string) => void,
  ) {
    this.#time = time;
    this.#random = random;
    this.#database = database;
    this.#carriedOut = carriedOut;
  }

  /** Takes a run some time within `seconds`. */
  plan(number: number, seconds: number): void {
    this.#time.after(this.#random.between(0, seconds), () => this.#take(number));
  }

  taskOf(plan: Plan, host: SimulatedHost): Task {
    const run = this.#runOf(plan);
    const own = run.behaviours.length > 1 ? run.behaviours.shift()! : run.behaviours[0]!;
    const { cut } = run.damage;
    const bad: Behaviour = cut > 0 && plan.salvage !== true ? { kind: 'cut file' } : own;
    return {
      behaviour: host.diskBad ? { kind: 'host_error' } : bad,
      lacks: () => atRead(run.damage, this.#time.nowMs),
      seconds: run.seconds,
      stubborn: this.#random.chance(0.1),
      startMs: run.startMs,
      endMs: () => (this.#time.nowMs >= run.endMs ? run.endMs : null),
    };
  }

  /** Of several documents with one number: the one that this attempt works on. */
  #runOf(plan: Plan): RealRun {
    for (const document of this.#database.runs.all()) {
      if (document.number === plan.run && fieldsOf(document).attempt === plan.attempt)
        return this.#byId.get(String(document._id))!;
    }
    return this.runs.get(plan.run)!;
  }

  /** Takes a run with a number that was given before. */
  recount(number: number): void {
    if (this.runs.has(number)) this.#take(number);
  }

  liveDataThere(path: string): boolean {
    const run = this.runs.get(Number(path.slice(path.lastIndexOf('/') + 1)));
    return run !== undefined && this.#time.nowMs >= run.liveDataFromMs;
  }

  #take(number: number): void {
    const random = this.#random;
    const live = random.chance(0.4);
    const now = this.#time.nowMs;
    const length = random.between(10, 60) * 1000;
    const startMs = Math.round(live ? now : now - length);
    const endMs = Math.round(startMs + length);
    const malformed = random.chance(0.1);
    const run: RealRun = {
      number,
      id: new ObjectId((this.#ids++).toString(16).padStart(24, '0')),
      startMs,
      endMs,
      behaviours: this.#behaviours(),
      seconds: random.chance(LONG_TASKS) ? random.between(100, 200) : random.between(3, 40),
      malformed,
      liveDataFromMs: random.chance(0.03)
        ? Infinity
        : now + (live ? random.between(0, 5) * 1000 : 0),
      damage: this.damages ? anyDamage(random, endMs) : UNDAMAGED,
    };
    if (!this.runs.has(number)) this.runs.set(number, run);
    this.#byId.set(String(run.id), run);
    const document = {
      _id: run.id,
      number,
      start: new Date(startMs),
      end: live ? null : new Date(endMs),
      mode: 'background',
      detectors: random.chance(0.1) ? ['muon_veto'] : ['tpc'],
      status: null,
      comments: [],
      daq_config: { processing_threads: { reader0: 2 }, strax_chunk_length: 5 },
      data: [{ type: 'live', host: 'daq', location: LIVE_DATA }],
      ...(random.chance(0.7) || !live ? { rate: { tpc: { max: 20 } } } : {}),
      bootstrax: this.#bootstrax(run.behaviours),
      ...(malformed ? random.pick(MALFORMED) : {}),
    };
    void this.#database.runs.insertOne(document);
    this.#carriedOut('daq');
    if (!live) return;
    this.#time.after((endMs - now) / 1000 + random.between(0.1, 30), () => {
      void this.#database.runs.updateOne({ _id: run.id }, { $set: { end: new Date(endMs) } });
      this.#carriedOut('daq');
    });
  }

  #bootstrax(behaviours: readonly Behaviour[]): Document {
    const random = this.#random;
    // One that never succeeds is on its last failures: each takes long.
    const hopeless = behaviours.at(-1)!.kind !== 'well';
    if (!hopeless && !random.chance(0.3)) return { state: null };
    // It has failed before.
    return {
      state: 'failed',
      host: 'elsewhere',
      time: new Date(this.#time.nowMs - 1000),
      reason: 'elsewhere:\nfailed\n',
      n_failures: hopeless ? 7 + random.int(3) : random.int(10),
      next_retry: new Date(this.#time.nowMs + random.between(-1, 30) * 1000),
    };
  }

  #behaviours(): Behaviour[] {
    const random = this.#random;
    const well: Behaviour = { kind: 'well' };
    const bad = () =>
      random.pick<Behaviour>([
        { kind: 'error' },
        { kind: 'error' },
        { kind: 'hang' },
        { kind: 'out_of_memory' },
        { kind: 'dies' },
        { kind: 'poison' },
      ]);
    const choice = random.next();
    if (choice < 0.6) return [well];
    if (choice < 0.85) return [...Array.from({ length: 1 + random.int(3) }, bad), well];
    if (choice < 0.97) return [{ kind: 'error' }];
    return [{ kind: 'poison' }];
  }
}
