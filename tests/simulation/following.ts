import type { Progress } from '../../src/attempt/attempt.pure.ts';
import type { Follower, FollowHandlers } from '../../src/attempt/process/follow.ts';
import type { Reach } from '../../src/executors/reach.ts';
import type { SimulatedHost } from './host.ts';
import type { Process } from './process.ts';

/** What has not begun by now never will, seconds: looked at again. */
const START_LIMIT_SECONDS = 10;
/** Beside the kernel's notices, which a file server does not give, seconds. */
const POLL_SECONDS = 2;
/** What one access to the disk takes at most, seconds. */
const ACCESS_SECONDS = 0.004;

interface Followed {
  host: SimulatedHost;
  process: Process;
  id: string;
  reach: Pick<Reach, 'life'>;
  handlers: FollowHandlers;
  signal: AbortSignal;
}

/** Tells what an attempt writes, in the order in which the real one does. */
export class Following implements Follower {
  readonly done: Promise<void>;
  progress: Progress | null = null;
  lastActivityMs: number;
  readonly #host: SimulatedHost;
  readonly #process: Process;
  readonly #id: string;
  readonly #reach: Pick<Reach, 'life'>;
  readonly #handlers: FollowHandlers;
  #lines = 0;
  #startedTold = false;
  #resultTold = false;
  #looking = false;
  #lookAgain = false;
  readonly #folders = new Set<string>();
  #resolve: () => void = () => undefined;
  #over = false;
  readonly #forget: () => void;

  constructor({ host, process, id, reach, handlers, signal }: Followed) {
    this.#host = host;
    this.#process = process;
    this.#id = id;
    this.#reach = reach;
    this.#handlers = handlers;
    this.lastActivityMs = host.time.seconds * 1000;
    this.done = new Promise((resolve) => (this.#resolve = resolve));
    this.#forget = host.onNews(id, () => this.#notice());
    signal.addEventListener('abort', () => this.#end(), { once: true });
    this.#notice();
    process.after(START_LIMIT_SECONDS + 0.5, () => this.#notice());
    if (host.onFileServer) this.#poll();
  }

  #poll(): void {
    if (this.#over) return;
    this.#notice();
    this.#process.after(POLL_SECONDS, () => this.#poll());
  }

  /** The kernel's notices come within milliseconds; if one is lost, the look every 2 s has to do. */
  #notice(): void {
    if (this.#looking) this.#lookAgain = true;
    if (this.#looking || this.#over) return;
    this.#looking = true;
    const { random } = this.#host;
    this.#process.after(random.chance(0.1) ? random.between(0, 2) : 0.002, () => {
      void this.#look().then(() => {
        this.#looking = false;
        if (!this.#lookAgain) return;
        this.#lookAgain = false;
        this.#notice();
      });
    });
  }

  /** One file after the other: the manager may stand still between any two of them. */
  // eslint-disable-next-line complexity -- The reads of one look, in the order of the real one.
  async #look(): Promise<void> {
    if (this.#over) return;
    const access = () =>
      this.#host.slowReads
        ? this.#process.wait(this.#host.random.between(0, ACCESS_SECONDS))
        : Promise.resolve();
    const folder = () => this.#host.disk.attempts.get(this.#id);
    const exit = folder()?.exit ?? null;
    const firstResult = folder()?.result ?? null;
    await access();
    const started = folder()?.started ?? null;
    if (this.#over) return;
    if (started !== null && !this.#startedTold) {
      this.#startedTold = true;
      this.#active();
      this.#handlers.onStarted?.(started);
    }
    const vanished = exit === null && this.#reach.life() === 'gone';
    await access();
    const lastExit = vanished && this.#host.looksTwice ? (folder()?.exit ?? null) : exit;
    this.#readProgress(folder()?.progress ?? []);
    await access();
    const result = this.#host.looksTwice ? (folder()?.result ?? null) : firstResult;
    if (this.#over) return;
    if (result !== null && !this.#resultTold) {
      this.#resultTold = true;
      this.#active();
      this.#handlers.onResult?.(result);
    }
    if (lastExit !== null) this.#handlers.onExit?.(lastExit);
    else if (vanished) this.#handlers.onVanished?.();
    else return;
    this.#end();
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
