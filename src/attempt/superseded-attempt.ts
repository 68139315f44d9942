import { historyOf, type AttemptSoFar } from './conclusion.ts';
import { wipeOnlineMonitor } from './online-monitor.ts';
import { bringBackReplaced, takeBackPublished } from './publication.ts';
import { placeOf, removeProducts, takingBack, withdrawEntries } from './files/removal.ts';
import { tidyPlace } from './finished-places.ts';
import { unlessDiskTrouble } from '../ports/disk-trouble.ts';
import type { Environment } from '../ports/environment.ts';
import { tellDaq } from '../ports/notify.ts';
import { untilAnswered } from '../ports/persist.ts';
import { endHistory } from '../retry/attempt-history.ts';
import { readRun } from '../run/run.pure.ts';
import type { Fence } from '../run/run.port.ts';
import type { RunDocument } from '../run/run-document.port.ts';
import type { Plan } from './attempt.pure.ts';

/** The run is somebody else's: takes back what this attempt left behind, and nothing else. */
export async function takeBackSuperseded(
  env: Environment,
  attempt: AttemptSoFar,
  history: { unlessEnded: boolean },
  signal: AbortSignal,
): Promise<'superseded' | null> {
  const { run, fence, locations, plan } = attempt;
  const read = await untilAnswered(env, `run ${run.number}`, signal, async () => ({
    document: await env.store.runs.byId(fence.id),
  }));
  if (read === null) return null;
  const { document } = read;
  if (document !== null && isConcludedBy(document, fence)) {
    return leaveToAnotherManager(env, attempt, signal);
  }
  if (plan !== null) {
    await unlessDiskTrouble(env, `note that run ${run.number} is lost`, () =>
      env.attempts.markSuperseded(env.attempts.directoryOf(fence.attempt)),
    );
  }
  const outcome = historyOf(
    env,
    attempt,
    'superseded',
    false,
    'the run was taken over or settled by others',
  );
  const options = { ...history, times: attempt.times };
  if (!(await endHistory(env, fence.attempt, outcome, options, signal))) return null;
  if (document !== null && plan !== null) {
    await unlessDiskTrouble(env, `withdraw data entries of run ${run.number}`, async () => {
      if (!(await bringBackReplaced(env, plan, signal))) return;
      await withdrawEntries(env, takingBack(env, plan, locations), document, locations, signal);
    });
    if (signal.aborted) return null;
  }
  await wipeOnlineMonitor(env, { ...fence, number: run.number }, signal);
  if (plan !== null) {
    await unlessDiskTrouble(env, `clean up after run ${run.number}`, async () => {
      const made = { plan, known: locations, isWhole: attempt.isChecked };
      if ((await takeBackMade(env, made, signal)) === null) return;
      await env.attempts.markConcluded(env.attempts.directoryOf(fence.attempt));
    });
  }
  const what = attempt.isChecked
    ? 'what it has made is finished and kept as long as its run may need it'
    : 'its folders are removed';
  env.log.warn(
    { event: 'attempt.superseded', run: run.number, attempt: fence.attempt },
    `run ${run.number} is no longer this attempt's (taken over or settled by others): its child is ended, ${what}`,
  );
  return 'superseded';
}

function isConcludedBy(document: RunDocument, { attempt }: Fence): boolean {
  const { own, bootstrax } = readRun(document);
  return own.lastAttempt === attempt && bootstrax.attempt !== attempt;
}

/** This very attempt was concluded already, and by no write of this manager: what it made stays. */
async function leaveToAnotherManager(
  env: Environment,
  attempt: AttemptSoFar,
  signal: AbortSignal,
): Promise<'superseded'> {
  const { run, fence, plan } = attempt;
  const why = 'another manager of this host has concluded it';
  const outcome = historyOf(env, attempt, 'superseded', false, why);
  const options = { unlessEnded: true, times: attempt.times };
  await endHistory(env, fence.attempt, outcome, options, signal);
  await unlessDiskTrouble(env, `clean up after run ${run.number}`, async () => {
    if (plan === null) return;
    await leavePlace(env, plan, attempt.isChecked, signal);
    if (!signal.aborted) await env.attempts.markConcluded(env.attempts.directoryOf(fence.attempt));
  });
  const message = `another manager of ${env.host} has concluded run ${run.number}: what it has made stays as it is`;
  env.log.warn(
    { event: 'attempt.concluded_by_another', run: run.number, attempt: fence.attempt },
    message,
  );
  await tellDaq(env, 'warning', message, run.number);
  return 'superseded';
}

/**
 * What a lost attempt has finished (`isWhole`) is kept in its place until its run is done elsewhere; all
 * else that it has made goes, wherever its life has ended: answers the folders removed from the output
 * folder, or null if `signal` ended the waiting, where the next start goes on. `known`: final paths of
 * what it has begun.
 */
export async function takeBackMade(
  env: Environment,
  { plan, known, isWhole }: { plan: Plan; known: readonly string[]; isWhole: boolean },
  signal: AbortSignal,
): Promise<readonly string[] | null> {
  if (isWhole && !(await takeBackPublished(env, plan, signal))) return null;
  const answer = await removeProducts(env, takingBack(env, plan, known), signal);
  if (answer === null) return null;
  await leavePlace(env, plan, isWhole, signal);
  return signal.aborted ? null : answer.removed;
}

async function leavePlace(
  env: Environment,
  plan: Plan,
  isWhole: boolean,
  signal: AbortSignal,
): Promise<void> {
  const place = placeOf(env, plan);
  if (isWhole) await tidyPlace(env, place, signal);
  else await env.products.removePlace(place);
}
