import type { Environment } from '../ports/environment.ts';
import { runLabel, tellDaq } from '../ports/notify.ts';
import type { RunDocument } from '../run/run-document.port.ts';
import { ABANDON_TAG } from '../run/run-tags.pure.ts';
import { numbered } from '../run/same-number.store.ts';
import { seenOf } from '../run/stored-runs.ts';

/** Brings a run that nobody holds to its end, as its tag wants it; false if somebody was faster. */
export async function abandonTagged(env: Environment, document: RunDocument): Promise<boolean> {
  const { store, host } = env;
  // Programs that delete the data of abandoned runs find it by the number.
  const seen = seenOf(document);
  const { number } = seen;
  if (typeof number === 'number' && numbered(await store.runs.byNumber(number)).length > 1) {
    return false;
  }
  const written = await store.runs.settle(seen, host, { kind: 'abandoned', reason: null });
  if (written !== 'landed') return false;
  const message = `${runLabel(seen)} is abandoned: tagged ${ABANDON_TAG}`;
  env.log.warn({ event: 'run.abandoned', run: number }, message);
  await tellDaq(env, 'warning', message, number);
  return true;
}
