import type { Plan, Started } from '../../src/attempt/attempt.pure.ts';
import type {
  AttemptTrace,
  Executor,
  Readiness,
  StartAnswer,
} from '../../src/executors/executor.ts';
import { freePlaces, type Places } from '../../src/executors/free-places.pure.ts';
import { BEGIN_SECONDS, lifeOf } from '../../src/executors/local/life.pure.ts';
import type { Life, Reach, ReachEnd, Where } from '../../src/executors/reach.ts';
import type { AttemptMemory } from '../../src/host/memory.pure.ts';
import type { ProcessIdentity } from '../../src/infra/linux/process-identity.pure.ts';
import { Child } from './child.ts';
import { attemptAt } from './disk.ts';
import type { SimulatedHost } from './host.ts';
import type { Process } from './process.ts';

/** An executor that is asked for what runs, and answers late. */
const FOUND_SECONDS = 12;
/** How often the end of the processes is looked for, seconds. */
const LOOK_SECONDS = 0.25;
const REFUSED = 0.03;
const UNANSWERED = 0.03;

/** The executor of a manager: it ends with its manager, and what it started goes on. */
export class SimulatedExecutor implements Executor {
  readonly name = 'simulated';
  readonly foundWithinSeconds: number;
  /** What it says to the next start; else it is left to chance. */
  next: 'started' | 'refused' | 'unknown' | null = null;
  readonly #host: SimulatedHost;
  readonly #process: Process;
  readonly #slots: number;
  readonly #warmAt: number;

  constructor(host: SimulatedHost, process: Process, slots: number) {
    this.#host = host;
    this.#process = process;
    this.#slots = slots;
    this.foundWithinSeconds = host.random.chance(0.5) ? 0 : FOUND_SECONDS;
    this.#warmAt = host.time.seconds + host.random.between(0.5, 15);
  }

  async start(plan: Plan, directory: string): Promise<StartAnswer> {
    const { random, disk } = this.#host;
    await this.#process.wait(this.#coldSeconds + random.between(0, 0.05));
    const folder = disk.attempts.get(attemptAt(directory));
    if (folder === undefined) return { kind: 'refused', reason: `${directory} is not there` };
    const answer = this.next ?? this.#byChance();
    if (answer === 'refused') return { kind: 'refused', reason: 'the worker refused the attempt' };
    const begin = () => {
      const child = new Child(this.#host, folder, plan, this.#host.taskOf(plan));
      this.#host.childStarts(child);
      return child;
    };
    if (answer === 'unknown') {
      // Its guardian is there already, or comes by itself, or never.
      if (random.chance(0.4)) begin();
      else if (random.chance(0.5)) {
        const boot = this.#host.boot;
        this.#host.time.after(random.between(0, BEGIN_SECONDS / 2), () => {
          if (this.#host.boot === boot) begin();
        });
      }
      await this.#process.wait(random.between(0, 5));
      return { kind: 'unknown', reason: 'the worker did not answer' };
    }
    const child = begin();
    await this.#process.wait(random.between(0, 0.02));
    const reach = this.#reach({ id: plan.attempt, directory, started: null }, child.guardian);
    return { kind: 'started', reach, begun: true, warm: true, why: null };
  }

  sees(): boolean {
    return true;
  }

  avoids(): readonly string[] {
    return [];
  }

  facts(): null {
    return null;
  }

  async find(trace: AttemptTrace): Promise<SimulatedReach | null> {
    await this.#process.wait(this.#host.random.between(0, 0.01));
    const isKnown = trace.started !== null || this.#host.someoneWrites(trace.id);
    // As where it has to be asked for elsewhere: what has not begun shows nowhere.
    if (this.foundWithinSeconds > 0 && !isKnown) return null;
    return this.#reach(trace, null);
  }

  places(taken: number): Places {
    return freePlaces(this.#slots, taken);
  }

  ready(): Readiness {
    return { ok: true };
  }

  startsAtOnce(): boolean {
    return this.#coldSeconds === 0;
  }

  onChange(listener: () => void): () => void {
    return this.#process.after(this.#coldSeconds + 0.001, listener);
  }

  versions(): Readonly<Record<string, string>> {
    return {};
  }

  describe(): string {
    return this.startsAtOnce() ? 'warm' : 'warming up';
  }

  get #coldSeconds(): number {
    return Math.max(0, this.#warmAt - this.#host.time.seconds);
  }

  #byChance(): 'started' | 'refused' | 'unknown' {
    if (this.#host.random.chance(REFUSED)) return 'refused';
    return this.#host.random.chance(UNANSWERED) ? 'unknown' : 'started';
  }

  #reach(trace: AttemptTrace, guardian: ProcessIdentity | null): SimulatedReach {
    return new SimulatedReach(this.#host, this.#process, trace, guardian);
  }
}

/** The processes of an attempt on a simulated machine. */
export class SimulatedReach implements Reach {
  readonly #host: SimulatedHost;
  readonly #process: Process;
  readonly #id: string;
  readonly #directory: string;
  readonly #madeAt: number;
  #guardian: ProcessIdentity | null;
  #child: ProcessIdentity | null = null;
  #isEnded = false;

  constructor(
    host: SimulatedHost,
    process: Process,
    { id, directory, started }: AttemptTrace,
    guardian: ProcessIdentity | null,
  ) {
    this.#host = host;
    this.#process = process;
    this.#id = id;
    this.#directory = directory;
    this.#madeAt = host.time.seconds;
    this.#guardian = guardian;
    if (started !== null) this.begun(started);
  }

  get where(): Where {
    return { executor: 'local', guardian: this.#guardian };
  }

  begun({ guardian, child }: Started): void {
    this.#guardian = guardian;
    this.#child = child;
  }

  refresh(): Promise<void> {
    return Promise.resolve();
  }

  verdict(): null {
    return null;
  }

  life(): Life {
    return lifeOf({
      ...{ guardian: this.#guardian, child: this.#child, isEnded: this.#isEnded },
      isAlive: (known) => this.#host.isAlive(known),
      isLogWritten: () => this.#host.someoneWrites(this.#id),
      waitedSeconds: this.#host.time.seconds - this.#madeAt,
    });
  }

  async end(graceSeconds: number): Promise<ReachEnd> {
    const { state } = this.#host.disk.attempts.get(this.#id) ?? {};
    if (state !== undefined && !this.#directory.startsWith(`${state}/`)) {
      this.#host.killed(this.#id);
    }
    await this.#process.wait(0.005);
    for (const child of this.#theirs()) child.terminate();
    if (!(await this.#goneWithin(graceSeconds))) {
      for (const child of this.#theirs()) child.killStrax(9);
      if (!(await this.#goneWithin(graceSeconds))) {
        for (const child of this.#theirs()) this.#host.vanish(child);
      }
    }
    this.#isEnded = true;
    return { kind: 'ended' };
  }

  async evidence(): Promise<null> {
    await this.#process.wait(this.#host.random.between(0, 1));
    return null;
  }

  memory(shareBytes: number): Promise<AttemptMemory> {
    const bytes = this.life() === 'running' ? 1e9 : 0;
    return Promise.resolve({ bytes, limitBytes: shareBytes, isOfThisMachine: true });
  }

  clean(): Promise<string[]> {
    return Promise.resolve([]);
  }

  #theirs(): Child[] {
    const guardian = this.#guardian;
    return [...this.#host.children].filter(
      (child) =>
        child.alive &&
        (child.attempt === this.#id ||
          (guardian !== null &&
            this.#host.isAlive(guardian) &&
            child.guardian.pid === guardian.pid)),
    );
  }

  async #goneWithin(seconds: number): Promise<boolean> {
    const { time } = this.#host;
    const limit = time.seconds + seconds;
    while (this.#theirs().length > 0 && time.seconds < limit) {
      await this.#process.wait(LOOK_SECONDS);
    }
    return this.#theirs().length === 0;
  }
}
