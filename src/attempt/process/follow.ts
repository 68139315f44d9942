import { type FSWatcher, watch } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';

import type { Reach } from '../../executors/reach.ts';
import { monotonicMs, systemClock } from '../../infra/clock/clock.ts';
import { isAborted } from '../../infra/concurrency/is-aborted.ts';
import { Wake } from '../../infra/concurrency/wake.ts';
import { FileTail } from '../../infra/disk/tail.ts';
import { boundedLine } from '../../infra/values/bounded.pure.ts';
import {
  type Exit,
  exitSchema,
  type Folder,
  type Progress,
  progressSchema,
  type Result,
  resultSchema,
  type Started,
  startedSchema,
} from '../attempt.pure.ts';
import { boundedFolder, boundedResult } from '../bounded-attempt.pure.ts';
import { type FileProblem, readAttemptFile } from '../files/attempt-directory.ts';

/**
 * What is told about an attempt while it is followed. Each of `onStarted`, `onResult`, `onExit` and
 * `onVanished` at most once, `onFolder` once a folder; `onExit` or `onVanished` is the last call of
 * all, after everything else that the attempt had written was told.
 */
export interface FollowHandlers {
  onStarted?: (started: Started) => void;
  /** The newest state; lines that came together are told as one. */
  onProgress?: (progress: Progress) => void;
  onFolder?: (folder: Folder) => void;
  onWarning?: (warning: string) => void;
  onResult?: (result: Result) => void;
  onExit?: (exit: Exit) => void;
  /**
   * `exit.json` will never come: its processes are gone, or there never were any.
   */
  onVanished?: () => void;
  /** A file that cannot be used; told once for each content. */
  onProblem?: (problem: FileProblem) => void;
}

export interface Follower {
  /** Ends with `onExit`, `onVanished` or the signal; rejects if a handler throws. */
  done: Promise<void>;
  /** The newest state; null before the first line. */
  readonly progress: Progress | null;
  /**
   * `monotonicMs` of the last real progress: the start of following, a start, a folder,
   * another phase, or more chunks, detector time or bytes than before; a line that says the same
   * again is none.
   */
  readonly lastActivityMs: number;
}

const LONGEST_WARNING = 1000;
const PROGRESS = 'progress.ndjson';
/** Beside the kernel's notices, of which some may be lost. */
const READ_SECONDS = 2;

/**
 * Follows the attempt in `directory`, from its beginning, also if it began long ago (adoption).
 * News are told within milliseconds; the kernel's notices are backed by a look every 2 s.
 */
export function followAttempt(
  directory: string,
  reach: Pick<Reach, 'life'>,
  handlers: FollowHandlers,
  signal: AbortSignal,
): Follower {
  const following = new Following({ directory, reach, handlers, signal });
  return {
    done: following.run(),
    get progress() {
      return following.progress;
    },
    get lastActivityMs() {
      return following.lastActivityMs;
    },
  };
}

interface Followed {
  directory: string;
  reach: Pick<Reach, 'life'>;
  handlers: FollowHandlers;
  signal: AbortSignal;
}

class Following {
  progress: Progress | null = null;
  lastActivityMs = monotonicMs(systemClock);

  readonly #tail: FileTail;
  readonly #directory: string;
  readonly #reach: Pick<Reach, 'life'>;
  readonly #handlers: FollowHandlers;
  readonly #signal: AbortSignal;
  readonly #folders = new Set<string>();
  readonly #problems = new Set<string>();
  #started: Started | null = null;
  #resultTold = false;
  /** What has to be read: set by notices, taken by the loop. */
  #due: 'nothing' | 'progress' | 'all' = 'all';
  readonly #wake = new Wake(systemClock);
  #lookedAtMs = -Infinity;

  constructor({ directory, reach, handlers, signal }: Followed) {
    this.#directory = directory;
    this.#reach = reach;
    this.#handlers = handlers;
    this.#signal = signal;
    this.#tail = new FileTail(join(directory, PROGRESS));
  }

  async run(): Promise<void> {
    const notice = (due: 'progress' | 'all') => {
      if (this.#due !== 'all') this.#due = due;
      this.#wake.notify();
    };
    const watcher = this.#watch(notice);
    try {
      for (;;) {
        if (this.#signal.aborted) return;
        const due = this.#due;
        this.#due = 'nothing';
        if (due === 'progress') await this.#readProgress();
        else if (due === 'all' && (await this.#lookAtAll())) return;
        await this.#nextNotice();
      }
    } finally {
      watcher?.close();
      await this.#tail.close();
    }
  }

  #watch(notice: (due: 'progress' | 'all') => void): FSWatcher | null {
    try {
      const watcher = watch(this.#directory, (_event, file) => {
        if (file === PROGRESS) notice('progress');
        else if (file === null || file.endsWith('.json')) notice('all');
      });
      watcher.on('error', () => undefined);
      return watcher;
    } catch (error) {
      // No notices left to be had from the kernel: the look every 2 s has to do.
      this.#problem({ file: this.#directory, problem: `cannot be watched: ${String(error)}` });
      return null;
    }
  }

  async #nextNotice(): Promise<void> {
    const sinceSeconds = (monotonicMs(systemClock) - this.#lookedAtMs) / 1000;
    if (this.#due === 'nothing' && sinceSeconds < READ_SECONDS) {
      const isNotified = await this.#wake.wait(READ_SECONDS - sinceSeconds, this.#signal);
      if (isNotified) return;
    }
    if (sinceSeconds >= READ_SECONDS || this.#due === 'nothing') this.#due = 'all';
  }

  /** Tells all news; true when there will be no more. */
  async #lookAtAll(): Promise<boolean> {
    this.#lookedAtMs = monotonicMs(systemClock);
    // A network file system may deny a file that it has until its folder has been listed.
    await readdir(this.#directory).catch(() => undefined);
    const exit = await this.#read('exit.json', exitSchema);
    await this.#readStart();
    if (isAborted(this.#signal)) return true;
    // Whether the end has come is found out before the rest is read: what was written before the
    // end is then told before it.
    const vanished = exit === null && this.#reach.life() === 'gone';
    const lastExit = vanished ? await this.#read('exit.json', exitSchema) : exit;
    await this.#readProgress();
    await this.#readResult();
    if (isAborted(this.#signal)) return true;
    if (lastExit !== null) this.#handlers.onExit?.(lastExit);
    else if (vanished) this.#handlers.onVanished?.();
    return lastExit !== null || vanished;
  }

  async #readStart(): Promise<void> {
    if (this.#started !== null) return;
    this.#started = await this.#read('started.json', startedSchema);
    if (this.#started === null || this.#signal.aborted) return;
    this.#active();
    this.#handlers.onStarted?.(this.#started);
  }

  async #readResult(): Promise<void> {
    if (this.#resultTold) return;
    const result = await this.#read('result.json', resultSchema);
    if (result === null || this.#signal.aborted) return;
    this.#resultTold = true;
    this.#active();
    this.#handlers.onResult?.(boundedResult(result));
  }

  async #readProgress(): Promise<void> {
    let newest: Progress | null = null;
    for (const line of await this.#tail.readLines()) {
      if (this.#signal.aborted) return;
      const parsed = parseProgress(line);
      if (parsed === null) {
        this.#problem({ file: PROGRESS, problem: `is no progress: ${line.slice(0, 200)}` });
        continue;
      }
      const { folder, warning, ...state } = parsed;
      newest = state;
      if (movedOn(this.progress, state)) this.#active();
      this.progress = state;
      if (folder !== undefined && !this.#folders.has(folder.location)) {
        this.#folders.add(folder.location);
        this.#active();
        this.#handlers.onFolder?.(boundedFolder(folder));
      }
      if (warning !== undefined) this.#handlers.onWarning?.(boundedLine(warning, LONGEST_WARNING));
    }
    if (newest !== null && !this.#signal.aborted) this.#handlers.onProgress?.(newest);
  }

  async #read<T extends { attempt: string }>(
    file: string,
    schema: z.ZodType<T>,
  ): Promise<T | null> {
    const found = await readAttemptFile(this.#directory, file, schema);
    if (found.kind === 'problem') this.#problem({ file, problem: found.problem });
    return found.kind === 'read' ? found.value : null;
  }

  #problem(problem: FileProblem): void {
    const key = `${problem.file} ${problem.problem}`;
    if (this.#problems.has(key)) return;
    this.#problems.add(key);
    this.#handlers.onProblem?.(problem);
  }

  #active(): void {
    this.lastActivityMs = monotonicMs(systemClock);
  }
}

function parseProgress(line: string): Progress | null {
  try {
    return progressSchema.parse(JSON.parse(line));
  } catch {
    return null;
  }
}

function movedOn(before: Progress | null, after: Progress): boolean {
  return (
    before === null ||
    after.phase !== before.phase ||
    after.target !== before.target ||
    after.chunks > before.chunks ||
    after.coveredSeconds > before.coveredSeconds ||
    after.bytes > before.bytes
  );
}
