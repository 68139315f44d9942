import type { ObjectId } from 'mongodb';

import { idText } from '../run/document-id.ts';
import type { RunHint } from '../run/run.port.ts';

/** Most runs that are remembered; other hosts claim most of them. */
const MOST_RUNS = 1000;

/** When this host noticed the runs that it may claim; monotonic seconds. */
export class NoticedRuns {
  readonly #seen = new Map<string, number>();

  /** To be called for each hint of the change stream. */
  hinted({ kind, id, touched }: RunHint, monotonicSeconds: number): void {
    if (kind === 'insert') this.note(id, monotonicSeconds);
    // It may have been held by a tag: then it is noticed anew when it may be claimed.
    else if (touched.some((field) => field.startsWith('tags'))) this.#seen.delete(idText(id));
  }

  /** The run may be claimed now; an earlier note stays. */
  note(id: ObjectId, monotonicSeconds: number): void {
    const key = idText(id);
    if (this.#seen.has(key)) return;
    this.#seen.set(key, monotonicSeconds);
    if (this.#seen.size <= MOST_RUNS) return;
    const [oldest] = this.#seen.keys();
    this.#seen.delete(oldest!);
  }

  /**
   * Returns when the run was noticed, by the server's clock, which shows `now`, and forgets it. A run
   * that falls due was not noticed before that. Null if it was not noted.
   */
  take(
    id: ObjectId,
    { now, monotonicSeconds, due }: { now: Date; monotonicSeconds: number; due: Date | null },
  ): Date | null {
    const seen = this.#seen.get(idText(id));
    if (seen === undefined) return null;
    this.#seen.delete(idText(id));
    const noticed = now.getTime() - (monotonicSeconds - seen) * 1000;
    return new Date(Math.max(noticed, due?.getTime() ?? -Infinity));
  }
}
