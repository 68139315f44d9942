import { dirname } from 'node:path';

import type { Plan } from '../../src/attempt/attempt.pure.ts';
import type { StraxProcess } from '../../src/attempt/process/foreign-processes.pure.ts';
import type { Holder } from '../../src/exclusion/holder.pure.ts';
import type { Machine } from '../../src/host/machine.ts';
import type { ProcessIdentity } from '../../src/infra/linux/process-identity.pure.ts';
import type { Child, Task } from './child.ts';
import { Disk, OUTPUT_DIRECTORY, type OutputFolder, type Shared } from './disk.ts';
import type { Link } from './link.ts';
import { Managers } from './managers.ts';
import type { Random } from './random.ts';
import type { Time } from './time.ts';

/** What a host needs to know of the world around it. */
export interface Surroundings {
  time: Time;
  random: Random;
  /** What a run does to the child that starts now. */
  taskOf: (plan: Plan, host: SimulatedHost) => Task;
  liveDataThere: (path: string) => boolean;
  /** Tells, for the trace and for the invariants. */
  tell: (host: SimulatedHost, what: string) => void;
  violated: (invariant: string, what: string) => void;
  /** The power is back. */
  onPower: (host: SimulatedHost) => void;
  attemptStarted: (host: SimulatedHost, child: Child) => void;
  childEnded: (host: SimulatedHost) => void;
  /** A child is about to be ended by somebody who leaves no word of it. */
  killed: (attempt: string) => void;
  /** All who write to this host's output folder now. */
  writersOf: (output: Disk['output']) => Iterable<Writer>;
  /** A folder of the output is about to be removed or replaced by a program of ours. */
  removes: (host: SimulatedHost, folder: OutputFolder) => void;
}

/** Somebody who writes to folders of an output. */
export interface Writer {
  readonly attempt: string;
  readonly straxAlive: boolean;
  /** It stands still. */
  readonly stopped: boolean;
  readonly locations: readonly string[];
}

/** One that no manager of ours has started. */
export interface Foreigner extends Writer {
  readonly run: number;
  readonly pid: number;
  /** Whoever has started it is gone. */
  readonly orphan: boolean;
  vanish: () => void;
}

/** A machine: its processes, its disk, its clock. */
export class SimulatedHost {
  readonly name: string;
  readonly time: Time;
  readonly random: Random;
  readonly disk: Disk;
  readonly link: Link;
  /** Its wall clock is ahead by so much, seconds. */
  skewSeconds = 0;
  /** Its disk makes attempts fail. */
  diskBad = false;
  on = true;
  /** Reading a file takes a while, in which the manager may be stopped. */
  slowReads = false;
  /** What a gone process has written is read once more. */
  looksTwice = true;
  /** Nobody accounts for what is read of the live data. */
  believesStrax = false;
  /** Its folders lie on a file server. */
  readonly onFileServer: boolean;
  readonly children = new Set<Child>();
  readonly managers = new Managers();
  /** Of programs that are not ours. */
  readonly foreigners = new Set<Foreigner>();
  /** Counts its starts. */
  boot = 0;
  #pids = 1000;
  readonly #surroundings: Surroundings;
  readonly #news = new Map<string, Set<() => void>>();

  constructor(name: string, surroundings: Surroundings, link: Link, shared: Partial<Shared> = {}) {
    this.name = name;
    this.time = surroundings.time;
    this.random = surroundings.random;
    this.link = link;
    this.#surroundings = surroundings;
    this.disk = new Disk(() => this.time.seconds, shared);
    this.onFileServer = Object.keys(shared).length > 0;
    this.disk.noticed = (attempt) => this.#tellNews(attempt);
  }

  newIdentity(): ProcessIdentity {
    return {
      pid: this.#pids++,
      startTicks: Math.floor(this.time.seconds * 100),
      bootId: `${this.name}-${this.boot}`,
    };
  }

  /** A manager that starts here under a name, in a state folder. */
  newHolder(host: string, state: string): Holder {
    const { pid, startTicks, bootId } = this.newIdentity();
    return {
      instance: pid.toString(16).padStart(24, '0'),
      host,
      state_dir: state,
      state_folder: `${this.name} ${state}`,
      pid,
      start_ticks: startTicks,
      boot_id: bootId,
      pid_namespace: 'pid:[1]',
      machine: this.name,
    };
  }

  isAlive(identity: ProcessIdentity): boolean {
    if (identity.bootId !== `${this.name}-${this.boot}`) return false;
    for (const child of this.children) {
      if (child.guardian.pid === identity.pid) return child.guardianAlive;
      if (child.strax.pid === identity.pid) return child.straxAlive;
    }
    return false;
  }

  someoneWrites(attempt: string): boolean {
    return [...this.children].some((child) => child.attempt === attempt && child.alive);
  }

  /** Calls back when a file of the attempt or one of its processes has changed. */
  onNews(attempt: string, listener: () => void): () => void {
    const listeners = this.#news.get(attempt) ?? new Set();
    this.#news.set(attempt, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  childDied(child: Child): void {
    if (!child.alive) this.children.delete(child);
    this.#surroundings.childEnded(this);
    this.#tellNews(child.attempt);
  }

  /** A child is about to begin a folder of the output. */
  childBegins(child: Writer, location: string): void {
    const there = this.disk.output.get(location);
    if (there !== undefined) this.#surroundings.removes(this, there);
    for (const other of this.#surroundings.writersOf(this.disk.output)) {
      if (other === child || !other.straxAlive || !other.locations.includes(location)) continue;
      if (this.#isUnknown(other)) continue;
      this.#surroundings.violated(
        'one effective owner',
        `${this.name}: attempts ${other.attempt} and ${child.attempt} write to ${location} at once`,
      );
    }
  }

  /** A folder of the output is about to be removed by a manager. */
  removes(location: string): void {
    const there = this.disk.output.get(location);
    if (there !== undefined) this.#surroundings.removes(this, there);
    for (const child of this.#surroundings.writersOf(this.disk.output)) {
      if (!child.straxAlive || !child.locations.includes(location)) continue;
      if (this.#isUnknown(child)) continue;
      this.#surroundings.violated(
        'one effective owner',
        `${this.name}: ${location} is removed while attempt ${child.attempt} writes to it`,
      );
    }
  }

  /** Of another host's attempt that stands still nobody here can know that it is alive. */
  #isUnknown(writer: Writer): boolean {
    return writer.stopped && ![...this.children].some((own) => own === writer);
  }

  /** The machine goes down with all that runs on it; it comes back after a while. */
  powerCut(why: string): void {
    if (!this.on) return;
    this.#surroundings.tell(this, `POWER CUT: ${why}`);
    this.on = false;
    this.boot++;
    for (const child of this.children) child.vanish();
    for (const foreigner of this.foreigners) foreigner.vanish();
    this.children.clear();
    this.foreigners.clear();
    this.#news.clear();
    this.disk.powerCut(this.random);
    const seconds = this.random.between(15, 200);
    this.time.after(seconds, () => this.powerOn());
    this.#surroundings.onPower(this);
  }

  powerOn(): void {
    if (this.on) return;
    this.on = true;
    this.#surroundings.tell(this, 'power is back');
    this.#surroundings.onPower(this);
  }

  machine(): Machine {
    return {
      diskSpace: () =>
        Promise.resolve({ usedPercent: 10, freeBytes: 2 ** 45, totalBytes: 2 ** 46 }),
      checkWritableFolder: () => Promise.resolve({ kind: 'writable' }),
      unreadable: () => Promise.resolve(null),
      isFolder: (path) => Promise.resolve(this.#surroundings.liveDataThere(path)),
      liveData: (path) =>
        Promise.resolve(
          this.#surroundings.liveDataThere(path)
            ? {
                kind: 'folder',
                path,
                hasChunks: true,
                hasFirst: true,
                hasMore: true,
                ended: true,
                mark: '',
              }
            : { kind: 'missing', path },
        ),
      chunkFiles: () => Promise.resolve(null),
      memoryCapacity: () => ({ totalBytes: 64e9, availableBytes: 60e9 }),
      straxProcesses: (here) => this.#straxProcesses(here),
      unfinishedFolders: ({ runId }) => Promise.resolve(this.#unfinishedFolders(runId)),
      meterLoad: () => () => ({
        ...{ cpuPercent: 1, memoryPercent: 1, swapPercent: 0, loadAverage: 1 },
      }),
    };
  }

  #straxProcesses({ run, attempt }: { run: number; attempt: string }): StraxProcess[] {
    const own = [...this.children].filter(
      (child) => child.straxAlive && child.plan.run === run && child.attempt !== attempt,
    );
    return [
      ...own.map((child) => ({
        ...{ pid: child.strax.pid, orphan: false, makes: 'this' as const },
      })),
      ...[...this.foreigners].map((foreigner) => ({
        pid: foreigner.pid,
        orphan: foreigner.orphan,
        makes: makesOf(foreigner, run),
      })),
    ];
  }

  #unfinishedFolders(runId: string): { unfinished: boolean; quietSeconds: number | null } {
    const unfinished = [...this.disk.output.values()].filter(
      (folder) =>
        folder.runId === runId && !folder.finished && dirname(folder.location) === OUTPUT_DIRECTORY,
    );
    const newest = Math.max(...unfinished.map(({ changedAt }) => changedAt));
    return {
      unfinished: unfinished.length > 0,
      quietSeconds: unfinished.length > 0 ? this.time.seconds - newest : null,
    };
  }

  taskOf(plan: Plan): Task {
    return this.#surroundings.taskOf(plan, this);
  }

  /** Guardian and child of an attempt begin. */
  childStarts(child: Child): void {
    this.children.add(child);
    this.#surroundings.attemptStarted(this, child);
    child.begin();
  }

  /** Somebody ends an attempt who leaves no word of it: whoever goes on with it finds a child that was killed. */
  killed(attempt: string): void {
    this.#surroundings.killed(attempt);
  }

  /** Its processes are gone at once. */
  vanish(child: Child): void {
    child.vanish();
    this.#tellNews(child.attempt);
  }

  #tellNews(attempt: string): void {
    for (const listener of [...(this.#news.get(attempt) ?? [])]) listener();
  }
}

/** Before it has begun a folder nobody can tell. */
function makesOf({ run, locations }: Foreigner, asked: number): StraxProcess['makes'] {
  if (locations.length === 0) return null;
  return run === asked ? 'this' : 'other';
}
