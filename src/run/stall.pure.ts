import { roughly } from '../infra/values/amounts.pure.ts';

/** How long the figures of a run in work have stood still. */
export interface Stillness {
  /** Seconds without progress, up to its newest heartbeat; null: not known. */
  stillSeconds: number | null;
  /** What of the live data it waits for; null: nothing is known. */
  waitsFor: string | null;
}

/** `no progress for 4 min: waits for chunk 1 of reader0` */
export function stallText({ stillSeconds, waitsFor }: Stillness): string {
  const since = `no progress for ${roughly(stillSeconds ?? 0)}`;
  return waitsFor === null ? since : `${since}: waits for ${waitsFor}`;
}

/** Between two chunks nothing moves; after this many times that there is no forecast. */
const CHUNKS_WITHOUT_NEWS = 3;
const LEAST_SECONDS = 30;

/** Whether a figure has moved so lately that the time left can be told from it. */
export function isMoving(
  { stillSeconds }: Pick<Stillness, 'stillSeconds'>,
  { seconds, chunks }: { seconds: number; chunks: number },
): boolean {
  if (stillSeconds === null) return true;
  const perChunk = chunks > 0 ? seconds / chunks : 0;
  return stillSeconds <= Math.max(LEAST_SECONDS, CHUNKS_WITHOUT_NEWS * perChunk);
}
