import type { AttemptFiles } from '../../src/attempts/directory.ts';
import type { Follower, FollowHandlers } from '../../src/attempts/follow.ts';
import type { Inspection } from '../../src/attempts/products.ts';
import type { Attempts, Products } from '../../src/attempts/types.ts';
import { PROTOCOL_VERSION, type Progress } from '../../src/domain/attempt.ts';
import { attemptAt, STATE_DIRECTORY, type AttemptFolder } from './disk.ts';
import type { SimulatedHost } from './host.ts';
import type { Process } from './process.ts';

/** What one access to the disk takes at most, seconds. */
const ACCESS_SECONDS = 0.004;
/** A guardian that was started writes `started.json` within this time, seconds. */
const START_LIMIT_SECONDS = 10;

/** The attempt directories of a host as its manager's process reaches them. */
export function attemptsOf(host: SimulatedHost, process: Process): Attempts {
  const { disk, random } = host;
  const access = () => process.wait(random.between(0, ACCESS_SECONDS));
  const folderAt = (directory: string) => disk.attempts.get(attemptAt(directory));

  const mark = async (directory: string, name: 'superseded' | 'concluded') => {
    await access();
    const folder = folderAt(directory);
    if (folder === undefined) throw new Error(`${directory} is not there`);
    const force = disk.write(folder, name, true);
    await access();
    force();
  };

  return {
    newId: () => random.hex(24),
    directoryOf: (id) => `${STATE_DIRECTORY}/attempts/${id}`,
    checkFolder: () => Promise.resolve({ kind: 'writable' }),
    create: async (plan) => {
      await access();
      const { folder, force: forceName } = disk.folder(plan.attempt);
      folder.followedAt = host.time.seconds;
      await access();
      const force = disk.write(folder, 'plan', plan);
      await access();
      force();
      await access();
      forceName();
      return `${STATE_DIRECTORY}/attempts/${plan.attempt}`;
    },
    listOpen: async () => {
      await access();
      return [...disk.attempts.values()].filter(({ concluded }) => !concluded).map(({ id }) => id);
    },
    read: async (id) => {
      await access();
      const folder = disk.attempts.get(id);
      return folder === undefined ? null : filesOf(folder);
    },
    foldersOf: async (directory) => {
      await access();
      return (folderAt(directory)?.progress ?? []).flatMap(({ folder }) => folder ?? []);
    },
    follow: (directory, handlers, signal) =>
      new Following(host, process, attemptAt(directory), handlers, signal),
    touchFollowed: async (directory) => {
      await access();
      const folder = folderAt(directory);
      if (folder !== undefined) folder.followedAt = host.time.seconds;
    },
    keepEvidence: async () => {
      await process.wait(random.between(0, 1));
      return null;
    },
    clearSharedMemory: () => Promise.resolve([]),
    noteEnding: async (directory, ended) => {
      await access();
      const folder = folderAt(directory);
      if (folder === undefined) throw new Error(`${directory} is not there`);
      const attempt = folder.id;
      const force = disk.write(folder, 'ending', { version: PROTOCOL_VERSION, attempt, ended });
      await access();
      force();
    },
    markSuperseded: (directory) => mark(directory, 'superseded'),
    markConcluded: (directory) => mark(directory, 'concluded'),
    prune: () => Promise.resolve([]),
  };
}

function filesOf(folder: AttemptFolder): AttemptFiles {
  const { progress, followedAt, ...files } = folder;
  return { ...files, directory: `${STATE_DIRECTORY}/attempts/${folder.id}`, problems: [] };
}

/** Strax folders of a host as its manager's process reaches them. */
export function productsOf(host: SimulatedHost, process: Process): Products {
  const { disk, random } = host;
  const access = () => process.wait(random.between(0, ACCESS_SECONDS));
  const ofRun = (runId: string) => [...disk.output.values()].filter((f) => f.runId === runId);
  return {
    inspect: async (_output, runId) => {
      await access();
      const inspection: Inspection = { products: [], unfinished: [] };
      for (const { finished, location, type, product } of ofRun(runId)) {
        if (!finished) inspection.unfinished.push(`${location}_temp`);
        else {
          inspection.products.push({
            product,
            type,
            location,
            lineageHash: 'hash',
            firstChunkRows: 10,
            problems: [],
          });
        }
      }
      return inspection;
    },
    clear: async (_output, runId, { locations } = {}) => {
      const removed: string[] = [];
      for (const { location } of ofRun(runId)) {
        if (locations !== undefined && !locations.includes(location)) continue;
        await access();
        host.removed(location);
        disk.removeOutput(location);
        removed.push(location);
      }
      await access();
      disk.forceRemovals();
      return removed;
    },
  };
}

/** Tells what an attempt writes, in the order in which the real one does. */
class Following implements Follower {
  readonly done: Promise<void>;
  progress: Progress | null = null;
  lastActivityMs: number;
  readonly #host: SimulatedHost;
  readonly #process: Process;
  readonly #id: string;
  readonly #handlers: FollowHandlers;
  readonly #beganAt: number;
  #lines = 0;
  #startedTold = false;
  #resultTold = false;
  #looking = false;
  readonly #folders = new Set<string>();
  #resolve: () => void = () => undefined;
  #over = false;
  readonly #forget: () => void;

  constructor(
    host: SimulatedHost,
    process: Process,
    id: string,
    handlers: FollowHandlers,
    signal: AbortSignal,
  ) {
    this.#host = host;
    this.#process = process;
    this.#id = id;
    this.#handlers = handlers;
    this.#beganAt = host.time.seconds;
    this.lastActivityMs = host.time.seconds * 1000;
    this.done = new Promise((resolve) => (this.#resolve = resolve));
    this.#forget = host.onNews(id, () => this.#notice());
    signal.addEventListener('abort', () => this.#end(), { once: true });
    this.#notice();
    process.after(START_LIMIT_SECONDS + 0.5, () => this.#notice());
  }

  /** The kernel's notices come within milliseconds; if one is lost, the look every 2 s has to do. */
  #notice(): void {
    if (this.#looking || this.#over) return;
    this.#looking = true;
    const { random } = this.#host;
    this.#process.after(random.chance(0.1) ? random.between(0, 2) : 0.002, () => {
      this.#looking = false;
      this.#look();
    });
  }

  #look(): void {
    if (this.#over) return;
    const folder = this.#host.disk.attempts.get(this.#id);
    if (folder?.started != null && !this.#startedTold) {
      this.#startedTold = true;
      this.#active();
      this.#handlers.onStarted?.(folder.started);
    }
    const started = folder?.started ?? null;
    const gone =
      started === null
        ? this.#host.time.seconds - this.#beganAt > START_LIMIT_SECONDS &&
          !this.#host.someoneWrites(this.#id)
        : !this.#host.isAlive(started.guardian) && !this.#host.isAlive(started.child);
    this.#readProgress(folder?.progress ?? []);
    if (folder?.result != null && !this.#resultTold) {
      this.#resultTold = true;
      this.#active();
      this.#handlers.onResult?.(folder.result);
    }
    if (folder?.exit != null) {
      this.#handlers.onExit?.(folder.exit);
      this.#end();
    } else if (gone) {
      this.#handlers.onVanished?.();
      this.#end();
    }
  }

  #readProgress(lines: readonly Progress[]): void {
    const fresh = lines.slice(this.#lines);
    this.#lines = lines.length;
    for (const { folder, warning, ...state } of fresh) {
      const before = this.progress;
      if (before === null || state.phase !== before.phase || state.chunks > before.chunks) {
        this.#active();
      }
      this.progress = state;
      if (folder !== undefined && !this.#folders.has(folder.location)) {
        this.#folders.add(folder.location);
        this.#handlers.onFolder?.(folder);
      }
      if (warning !== undefined) this.#handlers.onWarning?.(warning);
    }
    if (fresh.length > 0 && this.progress !== null) this.#handlers.onProgress?.(this.progress);
  }

  #active(): void {
    this.lastActivityMs = this.#host.time.seconds * 1000;
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#forget();
    this.#resolve();
  }
}
