import { basename } from 'node:path';

import { unlessDiskTrouble } from '../ports/disk-trouble.ts';
import type { Environment } from '../ports/environment.ts';
import { unlessRefused, untilAnswered } from '../ports/persist.ts';
import type { AttemptBook } from './attempt-book.ts';
import { type PlaceVerdict, placeVerdict, runOfPlace } from './files/finished-place.pure.ts';
import { placeSeen } from './files/finished-place.ts';
import type { RunNow } from './files/ownership.pure.ts';
import { runsNow } from './files/removal.ts';
import { placeIn } from './files/staging.pure.ts';

/**
 * Removes the places of attempts that are not going on here, once nobody needs them: what a
 * superseded attempt has finished and its run is done with elsewhere, and what nobody knows of any
 * more. At start, and again from time to time. Safe to repeat.
 */
export async function tidyPlaces(
  env: Environment,
  book: AttemptBook,
  signal: AbortSignal,
): Promise<void> {
  // First: a place is made after its attempt is known here and in the run document.
  const attempts = await env.products.placesIn(env.stagingDirectory);
  for (const attempt of attempts) {
    if (signal.aborted) return;
    if (book.has(attempt)) continue;
    const place = placeIn(env.stagingDirectory, attempt);
    await unlessDiskTrouble(env, `read ${place}`, () =>
      unlessRefused(env, `the run of ${place}`, () => tidyUnlessOpen(env, place, signal)),
    );
  }
}

async function tidyUnlessOpen(env: Environment, place: string, signal: AbortSignal): Promise<void> {
  const record = await env.attempts.read(basename(place));
  // Recovery goes on with it.
  if (record !== null && !record.concluded) return;
  await removeUnneeded(env, place, record?.plan?.place === place, signal);
}

/** The same for one that this manager has just come to the end of. */
export async function tidyPlace(
  env: Environment,
  place: string,
  signal: AbortSignal,
): Promise<void> {
  await removeUnneeded(env, place, true, signal);
}

async function removeUnneeded(
  env: Environment,
  place: string,
  isRecorded: boolean,
  signal: AbortSignal,
): Promise<void> {
  const seen = await placeSeen(env.products, place, {
    isRecorded,
    nowMs: env.clock.now().getTime(),
    quietSeconds: env.rules.limits.quietSeconds,
  });
  const run = runOfPlace(seen);
  const documents = await documentsOf(env, run, signal);
  if (documents === null) return;
  const verdict = placeVerdict(seen, documents, env.host);
  if (verdict.kind !== 'remove') return;
  await env.products.removePlace(place);
  tellRemoved(env, place, run, verdict);
}

async function documentsOf(
  env: Environment,
  run: number | null,
  signal: AbortSignal,
): Promise<RunNow[] | null> {
  if (run === null) return [];
  const found = await untilAnswered(env, `run ${run}`, signal, () => env.store.runs.byNumber(run));
  return found === null ? null : runsNow(found);
}

function tellRemoved(
  env: Environment,
  place: string,
  run: number | null,
  { why }: PlaceVerdict,
): void {
  env.log.info(
    { event: 'place.removed', run, attempt: basename(place) },
    `${place} is removed: ${why}`,
  );
}
