import type { Exit, Folder, Progress, Result, Started } from '../domain/attempt.ts';
import type { FileProblem } from './directory.ts';

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
  /** Guardian and child are gone and `exit.json` will never come. */
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
   * `performance.now()` of the last real progress: the start of following, a start, a folder, or
   * more chunks, detector time or bytes than before; a line that says the same again is none.
   */
  readonly lastActivityMs: number;
}

/**
 * Follows the attempt in `directory`, from its beginning, also if it began long ago (adoption).
 * News are told within milliseconds; the kernel's notices are backed by a look every 2 s.
 */
export function followAttempt(
  _directory: string,
  _handlers: FollowHandlers,
  _signal: AbortSignal,
): Follower {
  throw new Error('followAttempt');
}
