import {
  type Plan,
  type Product,
  type Progress,
  PROTOCOL_VERSION,
  type Result,
} from '../../src/attempt/attempt.pure.ts';
import type { FolderWord } from '../../src/attempt/files/ownership.pure.ts';
import { isSameWord } from '../../src/attempt/files/ownership.ts';
import { type ProcessIdentity } from '../../src/infra/linux/process-identity.pure.ts';
import type { AttemptFolder } from './disk.ts';
import type { SimulatedHost } from './host.ts';
import { accountOf, type Lacks } from './live-files.ts';
import { Process } from './process.ts';

/** What a run does to the strax process that works on it. */
export type Behaviour =
  | { kind: 'well' }
  /** Raises. */
  | { kind: 'error' }
  /** Raises over a file of live data. */
  | { kind: 'cut file' }
  /** Goes silent for good. */
  | { kind: 'hang' }
  | { kind: 'out_of_memory' }
  | { kind: 'dies' }
  /** The disk of this host is at fault. */
  | { kind: 'host_error' }
  /** Takes the whole machine down. */
  | { kind: 'poison' };

export interface Task {
  behaviour: Behaviour;
  /** From the start to the result, seconds. */
  seconds: number;
  /** What is not there of the live data when all of it has been read. */
  lacks: () => Lacks;
  /** Does not end when asked to. */
  stubborn: boolean;
  /** Start and end of the run as they really are, ms since 1970; the end is null while it is taken. */
  startMs: number;
  endMs: () => number | null;
}

/** How often a child looks whether it is still wanted, seconds. */
const LOOK_SECONDS = 3;

/** Between two chunks of live data, seconds. */
const READ_SECONDS = 20;
/** What goes wrong, goes wrong after this part of the whole time. */
const BREAK_AFTER = 0.7;

/** Guardian and strax child of one attempt. */
export class Child {
  readonly attempt: string;
  readonly plan: Plan;
  readonly guardian: ProcessIdentity;
  readonly strax: ProcessIdentity;
  readonly task: Task;
  readonly #host: SimulatedHost;
  readonly #folder: AttemptFolder;
  readonly #guardian: Process;
  readonly #strax: Process;
  #begunAt = 0;
  #read = 0;
  readonly #locations: string[] = [];
  #termed = false;
  /** It has written a good result. */
  finished = false;
  /** What it could not read of the live data, once it has read the rest. */
  lacks: Lacks | null = null;
  /** It has nothing more to write, or cannot. */
  #ended = false;

  constructor(host: SimulatedHost, folder: AttemptFolder, plan: Plan, task: Task) {
    this.#host = host;
    this.#folder = folder;
    this.attempt = plan.attempt;
    this.plan = plan;
    this.task = task;
    this.#guardian = new Process(host.time);
    this.#strax = new Process(host.time);
    this.guardian = host.newIdentity();
    this.strax = host.newIdentity();
  }

  get guardianAlive(): boolean {
    return this.#guardian.alive;
  }

  get straxAlive(): boolean {
    return this.#strax.alive;
  }

  get stopped(): boolean {
    return this.#strax.stopped || this.#hangs;
  }

  get #hangs(): boolean {
    const { behaviour, seconds } = this.task;
    const since = this.#host.time.seconds - this.#begunAt;
    return behaviour.kind === 'hang' && since > seconds * BREAK_AFTER;
  }

  get alive(): boolean {
    return this.guardianAlive || this.straxAlive;
  }

  get locations(): readonly string[] {
    return this.#locations;
  }

  begin(): void {
    this.#begunAt = this.#host.time.seconds;
    this.#guardian.after(0.005, () => {
      // A guardian that comes too late for its attempt makes no child.
      if (this.#folder.superseded) {
        this.#strax.kill();
        this.#leave(null, 1, true);
        return;
      }
      const force = this.#host.disk.write(this.#folder, 'started', {
        version: PROTOCOL_VERSION,
        attempt: this.attempt,
        guardian: this.guardian,
        child: this.strax,
        warm: true,
      });
      this.#guardian.after(0.005, force);
      this.#strax.after(0.01, () => this.#work());
    });
  }

  get #word(): FolderWord {
    const { attempt, runDocument = null, host } = this.plan;
    return { kind: 'says', attempt, document: runDocument, host };
  }

  /** As when the machine goes down. */
  vanish(): void {
    this.#guardian.kill();
    this.#strax.kill();
  }

  stop(): void {
    this.#guardian.stop();
    this.#strax.stop();
  }

  goOn(): void {
    this.#guardian.goOn();
    this.#strax.goOn();
  }

  terminate(): void {
    if (this.#termed || !this.straxAlive) return;
    this.#termed = true;
    if (this.task.stubborn) return;
    this.#strax.after(this.#host.random.between(0.05, 1), () => this.killStrax(15));
  }

  killStrax(signal: number): void {
    if (!this.straxAlive) return;
    this.#strax.kill();
    this.#leave(signal, null, false);
    this.#host.childDied(this);
  }

  killGuardian(): void {
    if (!this.guardianAlive) return;
    this.#guardian.kill();
    this.#host.childDied(this);
  }

  #work(): void {
    const { seconds, behaviour } = this.task;
    this.#say('preparing');
    this.#strax.after(LOOK_SECONDS, () => this.#look());
    this.#strax.after(READ_SECONDS, () => this.#goOnReading());
    const types = ['raw_records', ...this.plan.targets.filter((type) => type !== 'raw_records')];
    types.forEach((type, i) => {
      this.#strax.after(seconds * (0.1 + 0.2 * Math.min(i, 3)), () => this.#make(type));
    });
    if (behaviour.kind === 'well') {
      this.#strax.after(seconds, () => this.#finish());
    } else {
      this.#strax.after(seconds * BREAK_AFTER, () => this.#break(behaviour.kind));
    }
  }

  #goOnReading(): void {
    if (this.#ended) return;
    if (this.#hangs) return;
    this.#read += 5;
    const lost = this.#locations.find(
      (location) => !this.#host.disk.writeOutput(location, this.attempt),
    );
    if (lost !== undefined) return this.#fail();
    this.#say('processing');
    this.#strax.after(READ_SECONDS, () => this.#goOnReading());
  }

  /** Ends itself where nobody wants it any more. */
  #look(): void {
    const unseen = this.#host.time.seconds - this.#folder.followedAt;
    if (this.#folder.superseded || unseen > this.plan.orphanLimitSeconds) {
      this.#strax.kill();
      this.#leave(null, 1, true);
      this.#host.childDied(this);
      return;
    }
    this.#strax.after(LOOK_SECONDS, () => this.#look());
  }

  #make(type: string): void {
    if (this.#ended) return;
    const place = this.plan.place ?? this.plan.outputDirectory;
    const location = `${place}/${this.plan.runId}-${type}-hash`;
    const there = this.#host.disk.output.get(location);
    // What another has made stays, and the attempt fails.
    if (there !== undefined && !isSameWord(there.word, this.#word)) {
      this.#result('host', []);
      return;
    }
    this.#host.childBegins(this, location);
    this.#locations.push(location);
    this.#host.disk.beginOutput({
      location,
      runId: this.plan.runId,
      type,
      attempt: this.attempt,
      word: this.#word,
      makers: new Set([this.attempt]),
      finished: false,
      product: null,
    });
    this.#read += 5;
    this.#say('processing', { type, location, lineageHash: 'hash', lineage: {} });
  }

  #finish(): void {
    if (this.#ended) return;
    const endMs = this.task.endMs();
    // Live data that are still being taken are waited for.
    if (endMs === null) {
      this.#say('waiting_for_data');
      this.#strax.after(2, () => this.#finish());
      return;
    }
    this.lacks = this.task.lacks();
    const products = this.#locations.map((location) => this.#product(location, endMs));
    for (const product of products) {
      if (!this.#host.disk.finishOutput(product.location, product, this.attempt))
        return this.#fail();
    }
    this.#ended = true;
    this.#strax.after(0.05, () => {
      this.#host.disk.sync();
      this.#strax.after(0.02, () => this.#result(null, products));
    });
  }

  #product(location: string, endMs: number): Product {
    const [startNs, endNs] = [this.task.startMs, endMs].map((ms) => `${Math.round(ms)}000000`);
    return {
      type: location.split('-')[1]!,
      location,
      lineageHash: 'hash',
      lineage: {},
      chunks: 1,
      rows: 10,
      bytes: 1000,
      startNs: startNs!,
      endNs: endNs!,
      firstTimeNs: startNs!,
      lastTimeNs: endNs!,
    };
  }

  #break(kind: Exclude<Behaviour['kind'], 'well'>): void {
    if (this.#ended) return;
    switch (kind) {
      case 'error':
      case 'cut file':
      case 'host_error':
        this.#result(kind === 'host_error' ? 'host' : 'run', []);
        return;
      case 'hang':
        return;
      case 'out_of_memory':
        this.#strax.kill();
        this.#leave(9, null, false, true);
        this.#host.childDied(this);
        return;
      case 'dies':
        this.killStrax(11);
        return;
      case 'poison':
        this.#host.powerCut('the run took it down');
        return;
    }
  }

  /** What it writes to is gone: strax raises, and the host is at fault. */
  #fail(): void {
    if (!this.straxAlive || this.#ended) return;
    this.#result('host', []);
  }

  #result(fault: 'run' | 'host' | null, products: Product[]): void {
    const result: Result = {
      version: PROTOCOL_VERSION,
      attempt: this.attempt,
      run: this.plan.run,
      ok: fault === null,
      error:
        fault === null
          ? null
          : {
              type: fault === 'run' ? 'ValueError' : 'OSError',
              message: 'made up',
              traceback: 'Traceback',
              plugin: null,
              file: null,
              origin: fault,
            },
      products,
      skipped: [],
      input: this.lacks === null || this.#host.believesStrax ? null : accountOf(this.lacks),
      seconds: this.#host.time.seconds - this.#begunAt,
      peakMemoryBytes: 1e9,
      versions: {},
    };
    this.finished = result.ok;
    this.#ended = true;
    const force = this.#host.disk.write(this.#folder, 'result', result);
    this.#strax.after(0.01, () => {
      force();
      this.#strax.kill();
      this.#leave(null, fault === null ? 0 : 1, false);
      this.#host.childDied(this);
    });
  }

  /** The child is gone: its guardian says so and goes as well. */
  #leave(signal: number | null, code: number | null, orphaned: boolean, outOfMemory = false): void {
    this.#guardian.after(0.01, () => {
      const force = this.#host.disk.write(this.#folder, 'exit', {
        version: PROTOCOL_VERSION,
        attempt: this.attempt,
        code,
        signal,
        outOfMemory,
        orphaned,
        peakMemoryBytes: 1e9,
      });
      this.#guardian.after(0.01, () => {
        force();
        this.#guardian.kill();
        this.#host.childDied(this);
      });
    });
  }

  #say(phase: Progress['phase'], folder?: Progress['folder']): void {
    this.#host.disk.progress(this.#folder, {
      t: this.#host.time.seconds - this.#begunAt,
      phase,
      chunks: this.#read,
      coveredSeconds: this.#read,
      bytes: this.#read * 1e6,
      memoryBytes: 1e9,
      ...(folder === undefined ? {} : { folder }),
    });
  }
}
