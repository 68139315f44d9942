import type { Environment } from '../../ports/environment.ts';
import { tellDaq } from '../../ports/notify.ts';
import { untilWritten } from '../../ports/persist.ts';
import type { Fence } from '../../run/run.port.ts';
import type { Plan } from '../attempt.pure.ts';
import { withoutReplaced } from '../replaced-products.ts';
import { makingRoom, type Removed, removeProducts, whatStays } from './removal.ts';

/** Between two reads of a folder that may still be written to. */
const READ_SECONDS = 5;
/** Beyond the time for which such a folder has to be quiet. */
const EXTRA_SECONDS = 60;

export type Room =
  | { kind: 'made' }
  /** The run belongs to somebody else. */
  | { kind: 'superseded' }
  /** Somebody else's folders lie where its products belong, or what is there could not be made again. */
  | { kind: 'in_the_way'; reason: string }
  | { kind: 'stopped' };

/**
 * Removes what earlier attempts left of the run in the output folder, before an attempt that has it:
 * entries of the document first, so that no reader finds an entry without its folder. What may still
 * be written to is waited for; nothing is removed, and no attempt begun, beside what has to stay. Where
 * the live data is gone meanwhile, all of it stays; what the attempt is to replace stays for now.
 */
export async function makeRoom(
  env: Environment,
  plan: Plan,
  fence: Fence,
  signal: AbortSignal,
): Promise<Room> {
  const found = await quietly(env, plan, signal);
  if (found.kind !== 'listed') return found;
  // In nearly all runs: whatever gets there from now on is in the way of the publication.
  if (found.isEmpty && found.locations.length === 0) return { kind: 'made' };
  const going = withoutReplaced(plan, found.locations);
  if (going.length > 0) {
    const { kind } = await env.machine.liveData(plan.liveDataDirectory);
    if (kind === 'missing') {
      const reason = `the live data of run ${plan.run} is gone (${plan.liveDataDirectory}): what was made of it stays, since it cannot be made again`;
      return { kind: 'in_the_way', reason };
    }
    const landed = await untilWritten(env, `earlier data of run ${plan.run}`, signal, () =>
      env.store.runs.unregisterData(fence, going),
    );
    if (landed === null) return { kind: 'stopped' };
    if (landed === 'superseded') return { kind: 'superseded' };
  }
  const removed = await removeProducts(env, makingRoom(env, plan, found.locations), signal);
  if (removed === null) return { kind: 'stopped' };
  return removed.left.length === 0 ? { kind: 'made' } : inTheWay(removed.left);
}

/** Waits until all that is there may go; answers what the run lists for this host, and if nothing is there. */
async function quietly(
  env: Environment,
  plan: Plan,
  signal: AbortSignal,
): Promise<
  { kind: 'listed'; locations: string[]; isEmpty: boolean } | Exclude<Room, { kind: 'made' }>
> {
  const { clock, rules, host } = env;
  const limit = clock.monotonicSeconds() + rules.limits.quietSeconds + EXTRA_SECONDS;
  for (let looks = 0; ; looks++) {
    const look = await whatStays(env, makingRoom(env, plan), signal);
    if (look === null || signal.aborted) return { kind: 'stopped' };
    if (look.run?.holder !== plan.attempt) return { kind: 'superseded' };
    const { left, run, isEmpty } = look;
    if (left.length === 0) {
      const here = run.listed.filter((entry) => entry.host === host);
      return { kind: 'listed', locations: here.map(({ location }) => location), isEmpty };
    }
    if (left.some(({ held }) => !held) || clock.monotonicSeconds() > limit) return inTheWay(left);
    if (looks === 0) await tellWaiting(env, plan, left);
    await clock.sleep(READ_SECONDS, signal);
  }
}

function inTheWay(left: Removed['left']): Room & { kind: 'in_the_way' } {
  const named = left.map(({ path, why }) => `${path} (${why})`).join('; ');
  const reason = `folders that are not this attempt's to remove are in the way: ${named}. Find out whose they are ('bootstrax reconcile'), then move or remove them`;
  return { kind: 'in_the_way', reason };
}

async function tellWaiting(env: Environment, plan: Plan, left: Removed['left']): Promise<void> {
  const named = left.map(({ path, why }) => `${path}: ${why}`).join('; ');
  const message = `run ${plan.run} waits for folders that somebody else may still write: ${named}`;
  env.log.warn({ event: 'attempt.waits_for_folders', run: plan.run }, message);
  await tellDaq(env, 'warning', message, plan.run);
}
