import type { ObjectId } from 'mongodb';

import { isAsItsAttemptLeftIt } from '../claim/claimed-run.pure.ts';
import { StoreError } from '../infra/mongo/store-error.ts';
import { counted } from '../infra/values/counted.pure.ts';
import type { Environment } from '../ports/environment.ts';
import { tellDaq } from '../ports/notify.ts';
import type { Store } from '../ports/store.ts';
import { idText } from '../run/document-id.ts';
import { readRun } from '../run/run.pure.ts';

/** Shorter than the lease of a run that is being considered. */
const TIMEOUT_SECONDS = 30;
const PAUSE_SECONDS = 1;

export interface MonitoredRun {
  number: number;
  id: ObjectId;
  /** The attempt of this host that holds it, or held it; null: it is nobody's. */
  attempt: string | null;
}

/** An account that may not remove them is told of once. */
const refused = new WeakSet<Store>();

/**
 * Removes what earlier attempts at a run have left in `online_monitor`: strax would take it for its
 * own (reference, section 4.3). What a child may still write is never touched: documents are noted
 * first, and removed only if the run, read after that, is still this attempt's or has been given
 * back as failed or abandoned; whatever a later owner's child writes was not among them.
 *
 * While other documents have the number, what is there may be of their runs: then it stays.
 *
 * Nothing depends on it: what cannot be removed within half a minute stays, and is told of.
 */
export async function wipeOnlineMonitor(
  env: Environment,
  { number, id, attempt }: MonitoredRun,
  signal: AbortSignal,
): Promise<void> {
  if (!env.wipeOnlineMonitor || refused.has(env.store)) return;
  const limit = env.clock.monotonicSeconds() + TIMEOUT_SECONDS;
  for (;;) {
    if (signal.aborted) return;
    try {
      const ids = await env.store.onlineMonitor.some(number);
      if (ids.length === 0 || !(await mayBeRemoved(env, { number, id, attempt }))) return;
      await env.store.onlineMonitor.remove(ids);
      env.log.info(
        { event: 'online_monitor.removed', run: number, documents: ids.length },
        `${counted(ids.length, 'document')} of earlier attempts at run ${number} removed from online_monitor`,
      );
      if (env.clock.monotonicSeconds() < limit) continue;
      return await sayLeft(env, number, 'there are too many to remove them in time');
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      if (error.kind === 'unauthorized' || error.kind === 'unsupported') {
        refused.add(env.store);
        return await sayLeft(env, number, `the database does not allow it: ${error.message}`);
      }
      if (env.clock.monotonicSeconds() > limit) return await sayLeft(env, number, error.message);
      await env.clock.sleep(PAUSE_SECONDS, signal);
    }
  }
}

async function mayBeRemoved(
  env: Environment,
  { number, id, attempt }: MonitoredRun,
): Promise<boolean> {
  const documents = await env.store.runs.byNumber(number);
  const document = documents.find((each) => idText(each._id) === idText(id));
  if (document === undefined || documents.length > 1) return false;
  const stored = readRun(document);
  const { state, host, attempt: holder } = stored.bootstrax;
  if (state === 'failed' || state === 'abandoned') return true;
  const held = state === 'considering' || state === 'busy';
  return held && isAsItsAttemptLeftIt(stored) && host === env.host && holder === attempt;
}

async function sayLeft(env: Environment, number: number, why: string): Promise<void> {
  const message = `documents of earlier attempts at run ${number} stay in online_monitor, and online displays may show them: ${why}`;
  env.log.error({ event: 'online_monitor.left', run: number }, message);
  await tellDaq(env, 'warning', message, number);
}
