import type { AttemptTrace } from '../executors/executor.ts';
import { executorOf } from '../executors/executors.ts';
import type { Reach } from '../executors/reach.ts';
import { unlessDiskTrouble } from '../ports/disk-trouble.ts';
import type { Environment } from '../ports/environment.ts';
import type { Plan } from './attempt.pure.ts';
import type { WayOut } from './attempt-policy.ts';
import type { AttemptFiles } from './files/attempt-directory.ts';

/** Between two searches for what may have been started. */
const FIND_SECONDS = 2;

/** The arm to an attempt's processes. */
export interface Reached {
  reach: Reach;
  /** It is known that one of them began. */
  begun: boolean;
}

/** `manager_ends`: whether there is a child is for the next manager to find out. */
export type ChildStart =
  ({ kind: 'reached' } & Reached) | { kind: 'none'; way: WayOut } | { kind: 'manager_ends' };

export interface StartHooks {
  onStarted: (start: { warm: boolean; why: string | null }) => void;
  /** It is not known whether there is a child. */
  onFinding: () => void;
  managerEnds: AbortSignal;
}

/** Has the executor start the child of an attempt. */
export async function startChild(
  env: Environment,
  plan: Plan,
  directory: string,
  hooks: StartHooks,
): Promise<ChildStart> {
  const { host, log } = env;
  const executor = executorOf(env, plan);
  if (!executor.startsAtOnce()) {
    return noneBecause(`the worker on ${host} ended before it could start it`);
  }
  const start = await executor.start(plan, directory);
  switch (start.kind) {
    case 'started':
      if (start.begun) hooks.onStarted(start);
      return { kind: 'reached', reach: start.reach, begun: start.begun };
    case 'refused':
      // No child exists: whatever keeps the worker from forking is this host's, not the run's.
      return noneBecause(`the worker on ${host} could not start it: ${start.reason}`);
    case 'unknown':
      log.warn(
        { event: 'attempt.start_unknown', run: plan.run, executor: executor.name },
        `it is not known whether run ${plan.run} was started, and it is looked for: ${start.reason}`,
      );
      return findChild(env, { id: plan.attempt, directory, started: null, plan }, hooks);
  }
}

/**
 * Finds the child that was asked for, by this manager or an earlier one; there is none once nothing of
 * it runs or will.
 */
export async function findChild(
  env: Environment,
  { id, directory, started, plan }: AttemptTrace & Pick<AttemptFiles, 'plan'>,
  { onFinding, managerEnds }: Pick<StartHooks, 'onFinding' | 'managerEnds'>,
): Promise<ChildStart> {
  const { attempts, clock, host } = env;
  const executor = executorOf(env, plan);
  const limit = clock.monotonicSeconds() + executor.foundWithinSeconds;
  let trace: AttemptTrace = { id, directory, started };
  onFinding();
  for (;;) {
    const reach = await executor.find(trace);
    if (reach !== null) return { kind: 'reached', reach, begun: trace.started !== null };
    if (managerEnds.aborted) return { kind: 'manager_ends' };
    if (clock.monotonicSeconds() >= limit) break;
    // An attempt that is to be stopped is searched for as well: what cannot be found cannot be stopped.
    await clock.sleep(FIND_SECONDS, managerEnds);
    trace = (await attempts.read(id)) ?? trace;
  }
  // Should it begin after all, it ends itself.
  await unlessDiskTrouble(env, `end attempt ${id}`, () => attempts.markSuperseded(directory));
  return noneBecause(`nothing of it was found on ${host} within ${executor.foundWithinSeconds} s`);
}

function noneBecause(reason: string): ChildStart {
  return { kind: 'none', way: { ended: { kind: 'host_problem', reason } } };
}
