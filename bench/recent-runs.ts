import type { Lab } from '../tests/support/lab.ts';

const RUN_BYTES = 60_000;
/** Managers look at done runs of the last seven days. */
const WITHIN_MS = 6.9 * 86_400_000;
const RUN_MS = 1000;
const BATCH = 200;
const SAY_EACH = 5000;

/** Done runs that lie evenly in the time that managers look back. Numbers from 10 on. */
export async function fillWithRecentRuns(
  lab: Lab,
  count: number,
  filled: (count: number) => void,
): Promise<void> {
  const padding = 'x'.repeat(RUN_BYTES);
  const now = Date.now();
  for (let first = 0; first < count; first += BATCH) {
    const size = Math.min(BATCH, count - first);
    await lab.insertRuns(
      ...Array.from({ length: size }, (_, i) => {
        const start = new Date(now - (1 - (first + i) / count) * WITHIN_MS);
        const end = new Date(start.getTime() + RUN_MS);
        return {
          ...{ number: 10 + first + i, mode: 'tpc_bkg', detectors: ['tpc'], start, end },
          bootstrax: { state: 'done', host: 'old.test.local', time: end },
          ...{ status: 'eb_ready_to_upload', tags: [], data: [], padding },
        };
      }),
    );
    if ((first + size) % SAY_EACH === 0) filled(first + size);
  }
}
