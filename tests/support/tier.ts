/**
 * `make test` and single files run the daily tier; `make test-nightly` sets `TEST_TIER=nightly`. What
 * the nightly tier adds, and why it should find nothing, is in docs/reliability.md.
 */
export const IS_NIGHTLY = process.env['TEST_TIER'] === 'nightly';

/** How much of a search runs in this tier. */
export function amount(each: { daily: number; nightly: number }): number {
  return IS_NIGHTLY ? each.nightly : each.daily;
}

/** Each day the same search, so that only a change makes it fail; each night another one. */
export const SEARCH_SEED = Number(
  process.env['FUZZ_SEED'] ?? (IS_NIGHTLY ? Date.now() % 2 ** 31 : 1),
);
