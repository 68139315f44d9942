import type { ObjectId } from 'mongodb';

import { idText } from '../run/document-id.ts';
import type { RunHint } from '../run/run.port.ts';

/** Runs of which it is remembered when this host learned of them; others take most of them. */
const MOST_RUNS = 1000;

/** When this host learned of runs that it might take. Monotonic seconds. */
export class NoticedRuns {
  readonly #seen = new Map<string, number>();

  /** A change stream has told of it. */
  hinted({ kind, id, touched }: RunHint, monotonicSeconds: number): void {
    if (kind === 'insert') this.note(id, monotonicSeconds);
    // A tag may have kept it back: it is noticed anew when it may be taken.
    else if (touched.some((field) => field.startsWith('tags'))) this.#seen.delete(idText(id));
  }

  /** It may be taken; what was noted before stays. */
  note(id: ObjectId, monotonicSeconds: number): void {
    const key = idText(id);
    if (this.#seen.has(key)) return;
    this.#seen.set(key, monotonicSeconds);
    if (this.#seen.size <= MOST_RUNS) return;
    const [oldest] = this.#seen.keys();
    this.#seen.delete(oldest!);
  }

  /**
   * When that was by the server's clock, which shows `now`; a run that falls due is not noticed
   * before. Null if nothing was noted; forgets it.
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
