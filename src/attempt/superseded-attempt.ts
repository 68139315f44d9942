import type { Environment } from '../ports/environment.ts';
import { tellDaq } from '../ports/notify.ts';
import { untilAnswered } from '../ports/persist.ts';
import type { Fence } from '../run/run.port.ts';
import { readRun } from '../run/run.pure.ts';
import type { RunDocument } from '../run/run-document.port.ts';
import type { ConcludingSteps } from './attempt-policy.ts';
import type { AttemptSoFar } from './conclusion.ts';
import { historyOf } from './ended-attempt.ts';
import { RUN_KIND } from './run-kind.ts';
import { type Remains, remainsOf, takeBack } from './take-back.ts';

/** The run is somebody else's: takes back what this attempt has left, and nothing else. */
export async function takeBackSuperseded(
  env: Environment,
  attempt: AttemptSoFar,
  { unlessEnded }: { unlessEnded: boolean },
  { enter, signal }: Pick<ConcludingSteps, 'enter' | 'signal'>,
): Promise<'superseded' | null> {
  enter('taking_back');
  const { run, fence } = attempt;
  const read = await untilAnswered(env, `run ${run.number}`, signal, async () => ({
    document: await env.store.runs.byId(fence.id),
  }));
  if (read === null) return null;
  const { document } = read;
  if (document !== null && isConcludedBy(document, fence)) {
    return leaveToAnotherManager(env, attempt, signal);
  }
  const why = 'the run was taken over or concluded by others';
  const remains = remainsOf(env, attempt, {
    documents: document === null ? [] : [document],
    isWhole: attempt.isChecked,
    end: endOf(env, attempt, why, unlessEnded),
  });
  const taken = await takeBack(env, RUN_KIND.undoing, { remains, traces: attempt.traces }, signal);
  if (taken === null) return null;
  const what = attempt.isChecked
    ? 'what it has made is finished and kept as long as its run may need it'
    : 'its folders are removed';
  env.log.warn(
    { event: 'attempt.superseded', run: run.number, attempt: fence.attempt },
    `run ${run.number} is no longer this attempt's (taken over or concluded by others): its child is stopped, ${what}`,
  );
  return 'superseded';
}

function isConcludedBy(document: RunDocument, { attempt }: Fence): boolean {
  const isCalledSo = RUN_KIND.concludedBy(document, attempt);
  return isCalledSo && readRun(document).bootstrax.attempt !== attempt;
}

/** This very attempt was concluded already, and by no write of this manager: what it made stays. */
async function leaveToAnotherManager(
  env: Environment,
  attempt: AttemptSoFar,
  signal: AbortSignal,
): Promise<'superseded'> {
  const { number } = attempt.run;
  const why = 'another manager of this host has concluded it';
  const remains = remainsOf(env, attempt, {
    ...{ isWhole: attempt.isChecked, isConcluded: true },
    end: endOf(env, attempt, why, true),
  });
  await takeBack(env, RUN_KIND.undoing, { remains, traces: ['history', 'place'] }, signal);
  const message = `another manager of ${env.host} has concluded run ${number}: what it has made stays as it is`;
  env.log.warn(
    { event: 'attempt.concluded_by_another', run: number, attempt: attempt.fence.attempt },
    message,
  );
  await tellDaq(env, 'warning', message, number);
  return 'superseded';
}

/** Its end, for the history. */
function endOf(
  env: Environment,
  attempt: AttemptSoFar,
  why: string,
  unlessEnded: boolean,
): Remains['end'] {
  const outcome = historyOf(env, attempt, { outcome: 'superseded', counted: false, reason: why });
  return { outcome, unlessEnded, times: attempt.times };
}
