import type { Document } from 'mongodb';

import { ABANDON_TAG } from '../../src/run/run-tags.pure.ts';
import type { Child } from './child.ts';
import { Daq } from './daq.ts';
import type { AttemptFolder, Disk, OutputFolder, Shared } from './disk.ts';
import { Faults, PEOPLE_SECONDS } from './faults.ts';
import { SimulatedHost, type Surroundings, type Writer } from './host.ts';
import { fieldsOf, Invariants, isTagged, sharesNumber } from './invariants.ts';
import { Link } from './link.ts';
import type { Lacks } from './live-files.ts';
import type { Options, Outcome, Violation } from './options.ts';
import { CONSOLE, People } from './people.ts';
import { Process } from './process.ts';
import { Promises } from './promises.ts';
import { Random } from './random.ts';
import { ReferenceManager } from './reference.ts';
import { simulationRules } from './rules.ts';
import { Seat } from './seat.ts';
import { isSettled } from './settled.ts';
import { createDatabase } from './store/index.ts';
import { Time } from './time.ts';
import { type World, worldsOf } from './worlds.ts';

/**
 * After the last fault every run must come to its end within this time, seconds: one that takes its
 * machine down needs some twenty tries to be given up.
 */
const REST_SECONDS = 15_000;
/**
 * After the last run has come to its end all the rest must be tidy within this time, seconds: two
 * clean-ups of each host.
 */
const TIDY_SECONDS = 260;
/** A child that is not wanted any more is gone after a heartbeat, TERM and KILL, seconds. */
const STOP_SECONDS = 20;
/** The child of a manager that had a twin is found by the other with its next clean-up, seconds. */
const TWIN_STOP_SECONDS = 100;

const NOTHING_LACKS: Lacks = { unreadable: 0, missing: 0 };

/** One night of a small fleet, with everything that the seed brings. */
export async function simulate(seed: number, options: Options = {}): Promise<Outcome> {
  const { stackTraceLimit } = Error;
  // Most of the errors and signals of a night are made to be caught.
  if (options.trace !== true) Error.stackTraceLimit = 0;
  try {
    return await new Simulation(seed, options).run();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

class Simulation {
  readonly #seed: number;
  readonly #options: Options;
  readonly #time = new Time();
  readonly #random: Random;
  readonly #database = createDatabase(() => this.#time.nowMs);
  readonly #worlds: ReadonlySet<World>;
  /** By each of their names. */
  readonly #hosts = new Map<string, SimulatedHost>();
  readonly #seats: Seat[] = [];
  readonly #daq: Daq;
  readonly #people: People;
  readonly #reference: ReferenceManager | null;
  readonly #invariants: Invariants;
  readonly #faults: Faults;
  readonly #promises: Promises;
  /** The faults have ended. */
  #quiet = false;
  readonly #children = new Map<string, Child>();
  readonly #killed = new Set<string>();
  readonly #violations: Violation[] = [];
  readonly #trace: string[] = [];
  #events = 0;
  /** A run has changed since it was last looked whether all are settled. */
  #changed = true;

  constructor(seed: number, options: Options) {
    this.#seed = seed;
    this.#options = options;
    this.#random = new Random(seed);
    const random = this.#random;
    const time = this.#time;
    const carriedOut = (author: string) => this.#carriedOut(author);
    this.#worlds = new Set(options.worlds ?? worldsOf(random));
    const network = { time, random, database: this.#database, carriedOut };
    this.#daq = new Daq(time, random, this.#database, carriedOut);
    this.#daq.damages = this.#worlds.has('damaged input');
    this.#invariants = new Invariants(
      { database: this.#database, hosts: this.#hosts, worlds: this.#worlds },
      {
        failed: (attempt, number) => this.#hasFailed(attempt, number),
        succeeded: (attempt) => this.#hasSucceeded(attempt),
        lacks: (attempt) => this.#children.get(attempt)?.lacks ?? NOTHING_LACKS,
      },
      (invariant, what) => this.#violated(invariant, what),
    );
    const surroundings: Surroundings = {
      time,
      random,
      taskOf: (plan, host) => this.#daq.taskOf(plan, host),
      liveDataThere: (path) => this.#daq.liveDataThere(path),
      tell: (host, what) => this.#tell(host.name, what),
      violated: (invariant, what) => this.#violated(invariant, what),
      onPower: (host) => this.#onPower(host),
      childEnded: (host) => this.#faults.childEnded(host.name),
      killed: (attempt) => this.#killed.add(attempt),
      writersOf: (output) => this.#writersOf(output),
      removes: (host, folder) => this.#invariants.removes(host, folder),
      attemptStarted: (host, child) => {
        this.#children.set(child.attempt, child);
        this.#invariants.begins(child.plan);
        this.#faults.childStarted(host.name);
        this.#tell(
          host.name,
          `child of run ${child.plan.run}, attempt ${child.attempt}: ${child.task.behaviour.kind}, ${child.task.seconds.toFixed(0)} s`,
        );
      },
    };
    const count = random.pick([1, 2, 3, 3, 4, 5]);
    const names = Array.from({ length: count }, (_, i) => `eb${i}.xenon.local`);
    const primaries = names.filter(() => random.chance(0.8));
    const shared = this.#shared();
    for (const name of names) {
      const link = new Link(network, name);
      const host = new SimulatedHost(name, surroundings, link, shared);
      host.slowReads = this.#worlds.has('late reads');
      host.looksTwice = options.old?.includes('no second look') !== true;
      host.believesStrax = options.old?.includes('strax is believed') === true;
      host.disk.changed = () => this.#faults.diskWritten(name);
      host.skewSeconds = random.chance(0.3) ? random.between(-7200, 7200) : 0;
      this.#hosts.set(name, host);
      this.#seats.push(
        new Seat(host, {
          rules: simulationRules,
          role: primaries.includes(name) ? 'primary' : 'backup',
          primaries,
          slots: random.chance(0.2) ? 2 : 1,
          pollSeconds: random.pick([10, 20]),
          changeStream: random.chance(0.85),
          open: options.old?.includes('managers live side by side') === true,
          storeOf: (store, call) => options.storeOf?.(store, this.#database, call) ?? store,
          tell: (who, what) => this.#tell(who, what),
          crashed: (which, error) => this.#crashed(which, error),
        }),
      );
    }
    const store = new Link(network, CONSOLE).open(new Process(time), () => undefined);
    this.#people = new People({
      random,
      database: this.#database,
      store,
      carriedOut,
      tell: (what) => this.#tell('people', what),
      maxFailures: simulationRules.retry.maxFailures,
      careless: this.#worlds.has('bare done'),
    });
    const guest = this.#worlds.has('guest');
    this.#reference =
      guest || random.chance(0.3)
        ? new ReferenceManager({
            ...{ time, random, database: this.#database, carriedOut },
            home: guest ? random.pick(this.#seats).host : null,
            tell: (what) => this.#tell('reference', what),
          })
        : null;
    this.#faults = new Faults({
      time,
      random,
      seats: this.#seats,
      people: this.#people,
      reference: this.#reference,
      daq: this.#daq,
      worlds: this.#worlds,
      renamed: (seat) => this.#hosts.set(seat.name, seat.host),
      adopt: (seat) => seat.adopt(store),
      killed: (attempt) => this.#killed.add(attempt),
      tell: (what) => this.#tell('world', what),
      failed: (error) => this.#crashed(null, error),
    });
    this.#promises = new Promises({
      time,
      database: this.#database,
      seats: this.#seats,
      roleOf: (name) => (primaries.includes(name) ? 'primary' : 'backup'),
      livePrimaries: primaries.length,
      rules: simulationRules,
      violated: (invariant, what) => this.#violated(invariant, what),
    });
  }

  async run(): Promise<Outcome> {
    const random = this.#random;
    const troubled = random.between(40, 240);
    const runs = 1 + random.int(5);
    for (let i = 0; i < runs; i++) this.#daq.plan(i + 1, random.chance(0.5) ? 5 : troubled);
    for (const seat of this.#seats) this.#time.after(random.between(0, 10), () => seat.start());
    const reference = this.#reference;
    if (reference !== null) this.#time.after(random.between(0, 20), () => reference.start());
    this.#faults.begin(troubled);
    await this.#until(troubled, () => false);
    this.#tell('world', '----- the faults have ended -----');
    this.#faults.end();
    this.#quiet = true;
    this.#promises.begin();
    // People go on for a while: what they want done is to be done as well.
    await this.#until(troubled + PEOPLE_SECONDS, () => false);
    const rested = await this.#until(troubled + REST_SECONDS, () => this.#allSettled());
    if (!rested) this.#reportStuck();
    // A machine that a run took down comes back first.
    await this.#until(Infinity, () => this.#seats.every(({ host }) => host.on));
    await this.#until(this.#time.seconds + TIDY_SECONDS, () => false);
    if (rested && this.#violations.length === 0) this.#invariants.atRest();
    return this.#outcome();
  }

  /** What the machines of this night have in common. */
  #shared(): Partial<Shared> {
    return {
      ...(this.#worlds.has('shared output') ? { output: new Map<string, OutputFolder>() } : {}),
      ...(this.#worlds.has('shared state')
        ? {
            attempts: new Map<string, AttemptFolder>(),
            owners: new Map<string, string>(),
          }
        : {}),
    };
  }

  #writersOf(output: Disk['output']): Writer[] {
    const hosts = new Set(this.#hosts.values());
    return [...hosts].flatMap(({ disk, children, foreigners }) =>
      disk.output === output ? [...children, ...foreigners] : [],
    );
  }

  /** Lets time pass until something holds or that much time has passed; answers whether it held. */
  async #until(seconds: number, holds: () => boolean): Promise<boolean> {
    while (this.#options.goOn === true || this.#violations.length === 0) {
      if (this.#time.nextSeconds() > seconds) return false;
      await this.#time.step();
      this.#events++;
      if (holds()) return true;
    }
    return true;
  }

  #carriedOut(author: string): void {
    if (!this.#invariants.look(author)) return;
    this.#changed = true;
    if (this.#hosts.has(author)) this.#faults.databaseWritten(author);
    else if (this.#quiet) this.#expectStops();
  }

  /** Without faults a child whose run is no longer to be processed is gone soon. */
  #expectStops(): void {
    for (const { host, process } of this.#seats) {
      for (const child of host.children) {
        if (!child.straxAlive || this.#isWanted(host, child)) continue;
        const twins = this.#worlds.has('twins') || this.#worlds.has('strangers');
        this.#time.after(twins ? TWIN_STOP_SECONDS : STOP_SECONDS, () => {
          if (
            process === null ||
            !process.alive ||
            !child.straxAlive ||
            this.#isWanted(host, child)
          )
            return;
          this.#violated(
            'a busy run is stopped',
            `${host.name}: the child of attempt ${child.attempt} at run ${child.plan.run} runs on`,
          );
        });
      }
    }
  }

  #isWanted(host: SimulatedHost, child: Child): boolean {
    for (const document of this.#database.runs.all()) {
      const { state, attempt, host: holder } = fieldsOf(document);
      if (document.number !== child.plan.run || attempt !== child.attempt) continue;
      if (isTagged(document, ABANDON_TAG)) return false;
      return (
        state === 'busy' && attempt === child.attempt && this.#hosts.get(String(holder)) === host
      );
    }
    return false;
  }

  #allSettled(): boolean {
    if (!this.#changed) return false;
    this.#changed = false;
    return [...this.#database.runs.all()].every((document) => this.#isSettled(document));
  }

  #isSettled(document: Document): boolean {
    return isSettled(document, {
      maxFailures: simulationRules.retry.maxFailures,
      shared: sharesNumber(this.#database, document),
      byHand:
        !this.#invariants.hasConcluded(document) &&
        (this.#worlds.has('bare done') || this.#invariants.lacksProduct(document)),
    });
  }

  #reportStuck(): void {
    for (const document of this.#database.runs.all()) {
      if (this.#isSettled(document)) continue;
      this.#violated(
        brokenBy(document),
        `run ${String(document.number)}: ${JSON.stringify({ status: document.status as unknown, tags: document.tags as unknown, ...fieldsOf(document) })}`,
      );
    }
  }

  #hasFailed(attempt: string, number: number): boolean {
    const child = this.#children.get(attempt);
    if (this.#killed.has(attempt)) return true;
    if (child === undefined) return this.#daq.runs.get(number)?.liveDataFromMs === Infinity;
    return child.task.behaviour.kind !== 'well' && child.task.behaviour.kind !== 'host_error';
  }

  #hasSucceeded(attempt: string): boolean {
    return this.#children.get(attempt)?.finished === true;
  }

  #onPower(host: SimulatedHost): void {
    const seat = this.#seats.find((one) => one.host === host)!;
    if (!host.on) {
      seat.kill();
      this.#faults.powerGone(host);
    } else this.#time.after(this.#random.between(1, 5), () => seat.start());
  }

  #crashed(host: SimulatedHost | null, error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#violated('no manager crashes', `${host?.name ?? 'world'}: ${text}`);
  }

  #violated(invariant: string, what: string): void {
    this.#tell('VIOLATED', `${invariant}: ${what}`);
    this.#violations.push({ invariant, what, atSeconds: this.#time.seconds });
  }

  #tell(who: string, what: string): void {
    if (this.#options.trace !== true) return;
    this.#trace.push(`${this.#time.seconds.toFixed(3).padStart(9)} ${who.padEnd(16)} ${what}`);
  }

  #outcome(): Outcome {
    const ends: Record<string, number> = {};
    for (const document of this.#database.runs.all()) {
      const { state, outcome } = fieldsOf(document);
      const name = state === 'failed' ? `failed (${String(outcome)})` : String(state);
      ends[name] = (ends[name] ?? 0) + 1;
    }
    return {
      seed: this.#seed,
      violations: this.#violations,
      seconds: this.#time.seconds,
      events: this.#events,
      ends,
      trace: this.#trace,
    };
  }
}

/** The invariant that a run breaks by not coming to its end. */
function brokenBy(document: Document): string {
  const { state, time } = fieldsOf(document);
  if (state === 'considering' && !(time instanceof Date)) return 'no claim is stuck';
  return state === 'done' && document.status == null ? 'done gets its status' : 'no run is stuck';
}
