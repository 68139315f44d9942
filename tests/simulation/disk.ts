import { basename } from 'node:path';

import type {
  Ending,
  Exit,
  Plan,
  Product,
  Progress,
  Publishing,
  Result,
  Started,
} from '../../src/attempt/attempt.pure.ts';
import type { FolderWord } from '../../src/attempt/files/ownership.pure.ts';
import type { Random } from './random.ts';

/** What lies in an attempt directory. */
export interface AttemptFolder {
  readonly id: string;
  /** The state folder that it lies in. */
  readonly state: string;
  plan: Plan | null;
  started: Started | null;
  readonly progress: Progress[];
  result: Result | null;
  exit: Exit | null;
  ending: Ending | null;
  publishing: Publishing | null;
  superseded: boolean;
  concluded: boolean;
  /** When a manager last showed itself; seconds of the simulation. */
  followedAt: number;
}

/** A folder that strax writes to the output folder. */
export interface OutputFolder {
  /** Final name. */
  readonly location: string;
  readonly runId: string;
  readonly type: string;
  /** The attempt that made it. */
  readonly attempt: string;
  /** What its metadata says of who made it. */
  readonly word: FolderWord;
  /** All who have written to it. */
  readonly makers: Set<string>;
  /** Has its final name. */
  finished: boolean;
  product: Product | null;
  /** It lies in a trash: where it was, and whose trash it is. */
  taken?: { from: string; host: string; doomed: boolean } | null;
  /** Seconds of the simulation. */
  changedAt: number;
  /** Tells it from another folder at the same path. */
  readonly inode: bigint;
}

let inodes = 1n;

interface Change {
  readonly atSeconds: number;
  undo: (() => void) | null;
}

/** What several machines have from one file server. */
export interface Shared {
  attempts: Map<string, AttemptFolder>;
  output: Map<string, OutputFolder>;
  /** Which host each state folder remembers. */
  owners: Map<string, string>;
}

export const STATE_DIRECTORY = '/state';
export const OUTPUT_DIRECTORY = '/output';
/** On the disk of the output. */
export const STAGING_DIRECTORY = '/output.staging';

/** The kernel writes out by itself what is older than this, seconds. */
const WRITTEN_BACK_SECONDS = 30;

/**
 * One machine's disk. Each change is seen by everybody at once, but survives a power cut only once it
 * is forced out, or after a while; what goes is always the newest.
 */
export class Disk {
  /** One and the same of several machines where they lie on a file server. */
  readonly attempts: Map<string, AttemptFolder>;
  readonly output: Map<string, OutputFolder>;
  readonly owners: Map<string, string>;
  /** Tells of a change in an attempt directory. */
  noticed: (attempt: string) => void = () => undefined;
  /** Tells of any change. */
  changed: () => void = () => undefined;
  readonly #seconds: () => number;
  #unsynced: Change[] = [];
  #removals: (() => void)[] = [];
  #renames: (() => void)[] = [];

  constructor(seconds: () => number, shared: Partial<Shared> = {}) {
    this.#seconds = seconds;
    this.attempts = shared.attempts ?? new Map<string, AttemptFolder>();
    this.output = shared.output ?? new Map<string, OutputFolder>();
    this.owners = shared.owners ?? new Map<string, string>();
  }

  /** Makes an attempt directory, unless it is there; `force` forces its name out. */
  folder(id: string, state: string): { folder: AttemptFolder; force: () => void } {
    const there = this.attempts.get(id);
    if (there !== undefined) return { folder: there, force: () => undefined };
    const folder: AttemptFolder = {
      id,
      state,
      plan: null,
      started: null,
      progress: [],
      result: null,
      exit: null,
      ending: null,
      publishing: null,
      superseded: false,
      concluded: false,
      followedAt: this.#seconds(),
    };
    this.attempts.set(id, folder);
    return { folder, force: this.#note(() => this.attempts.delete(id)) };
  }

  /** Writes a file of an attempt; the answer forces it out. */
  write<
    Name extends
      'plan' | 'started' | 'result' | 'exit' | 'ending' | 'publishing' | 'superseded' | 'concluded',
  >(folder: AttemptFolder, name: Name, value: AttemptFolder[Name]): () => void {
    const before = folder[name];
    folder[name] = value;
    const force = this.#note(() => (folder[name] = before));
    this.noticed(folder.id);
    return force;
  }

  progress(folder: AttemptFolder, line: Progress): void {
    folder.progress.push(line);
    this.#note(() => folder.progress.pop());
    this.noticed(folder.id);
  }

  /** As strax does: what has this name already is removed first. */
  beginOutput(begun: Omit<OutputFolder, 'changedAt' | 'inode'>): void {
    const folder: OutputFolder = { ...begun, changedAt: this.#seconds(), inode: inodes++ };
    const { location } = folder;
    this.removeOutput(location);
    this.output.set(location, folder);
    this.#note(() => {
      if (this.output.get(location) === folder) this.output.delete(location);
    });
  }

  /** Writes a chunk; false if there is no folder to write to. */
  writeOutput(location: string, by: string): boolean {
    const folder = this.output.get(location);
    if (folder === undefined || folder.finished) return false;
    folder.makers.add(by);
    folder.changedAt = this.#seconds();
    return true;
  }

  /** Gives it its final name; false if there is none. */
  finishOutput(location: string, product: Product | null, by: string): boolean {
    if (!this.writeOutput(location, by)) return false;
    const folder = this.output.get(location)!;
    folder.finished = true;
    folder.product = product;
    this.#note(() => {
      folder.finished = false;
      folder.product = null;
    });
    return true;
  }

  removeOutput(location: string): void {
    const folder = this.output.get(location);
    if (folder === undefined) return;
    this.output.delete(location);
    this.#removals.push(
      this.#note(() => {
        if (!this.output.has(location)) this.output.set(location, folder);
      }),
    );
  }

  /**
   * Renames a finished folder; the answer forces it out. Null if there is none, false if another lies
   * there already.
   */
  publishOutput(from: string, to: string): (() => void) | false | null {
    const folder = this.output.get(from);
    if (folder === undefined) return null;
    if (this.output.has(to)) return false;
    const published: OutputFolder = { ...folder, location: to, taken: null };
    this.output.delete(from);
    this.output.set(to, published);
    const force = this.#note(() => {
      if (this.output.get(to) !== published) return;
      this.output.delete(to);
      this.output.set(from, folder);
    });
    this.#renames.push(force);
    return force;
  }

  /** Renames a folder into a trash; the answer says where it is, and forces that out. Null if there is none. */
  takeOutput(
    from: string,
    place: string,
    host: string,
  ): { item: string; force: () => void } | null {
    const item = `${place}/trash/${basename(from)}~${inodes++}`;
    const force = this.publishOutput(from, item);
    if (force === null || force === false) return null;
    this.output.get(item)!.taken = { from, host, doomed: false };
    return { item, force };
  }

  /** What lies in a trash may be deleted from now on; false if it is not there. */
  doomOutput(item: string): boolean {
    const taken = this.output.get(item)?.taken;
    if (taken == null) return false;
    taken.doomed = true;
    return true;
  }

  /** Forces out that folders of the output are gone. */
  forceRemovals(): void {
    for (const force of this.#removals) force();
    this.#removals = [];
  }

  /** Forces out which names folders of the output have. */
  forceNames(): void {
    for (const force of this.#renames) force();
    this.#renames = [];
  }

  /** Forces everything out. */
  sync(): void {
    this.#unsynced = [];
  }

  /** What was not forced out may be lost, the newest first. */
  powerCut(random: Random): void {
    const since = this.#seconds() - WRITTEN_BACK_SECONDS;
    const doubtful = this.#unsynced.filter(({ atSeconds }) => atSeconds > since);
    const lost = random.int(doubtful.length + 1);
    for (const change of doubtful.slice(doubtful.length - lost).reverse()) change.undo?.();
    this.#unsynced = [];
  }

  #note(undo: () => void): () => void {
    const change: Change = { atSeconds: this.#seconds(), undo };
    this.#unsynced.push(change);
    this.changed();
    if (this.#unsynced.length > 200) this.#unsynced.splice(0, 100);
    return () => (change.undo = null);
  }
}

/** The attempt whose directory this is. */
export function attemptAt(directory: string): string {
  return directory.slice(directory.lastIndexOf('/') + 1);
}
