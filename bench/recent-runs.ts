import type { Lab } from '../tests/support/lab.ts';

const RUN_BYTES = 60_000;
/** Managers read done runs of the last seven days. */
const WITHIN_MS = 6.9 * 86_400_000;
const RUN_MS = 1000;
const BATCH = 200;
const SAY_EACH = 5000;

/** Of this number of runs one was given up, one set aside at once, and one set aside after it had failed. */
const ONE_IN = { givenUp: 700, setAside: 500, setAsideLater: 2500 };

/**
 * Runs that lie evenly in the time that managers look back, nearly all of them done. Numbers from 10
 * on.
 */
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
          bootstrax: { host: 'old.test.local', time: end, ...outcomeOf(first + i, end) },
          ...{ status: 'eb_ready_to_upload', tags: [], data: [], padding },
        };
      }),
    );
    if ((first + size) % SAY_EACH === 0) filled(first + size);
  }
}

function outcomeOf(i: number, end: Date): object {
  const failed = { state: 'failed', reason: 'old.test.local:\nValueError: not so' };
  if (i % ONE_IN.givenUp === 1) {
    return { ...failed, outcome: 'given_up', n_failures: 10, next_retry: end };
  }
  if (i % ONE_IN.setAsideLater === 2) return { ...failed, outcome: 'set_aside', n_failures: 1 };
  if (i % ONE_IN.setAside === 2) return { ...failed, outcome: 'set_aside' };
  return { state: 'done', outcome: 'done' };
}
