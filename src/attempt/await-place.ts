import type { Reach, Verdict } from '../executors/reach.ts';
import { whereText } from '../executors/where-text.pure.ts';
import { unlessDiskTrouble } from '../ports/disk-trouble.ts';
import type { Environment } from '../ports/environment.ts';
import type { Plan } from './attempt.pure.ts';
import type { AttemptPolicy, WayOut } from './attempt-policy.ts';
import type { Ended } from './outcome.pure.ts';

/** Between two reads of what an attempt that waits has in its directory. */
const READ_SECONDS = 1;
/** What waits has no processes that would have to be asked to end. */
const GRACE_SECONDS = 3;

/** What has become of an attempt that waits for its place. */
type PlaceAnswer =
  /** A process of it has taken the place, and waits to be followed. */
  | { kind: 'begun' }
  /** None ever will. */
  | { kind: 'none'; ended: Ended }
  | { kind: 'stopped' };

/** Waits until an attempt has got its place, or never will. */
async function untilPlace(
  { clock }: Pick<Environment, 'clock'>,
  reach: Reach,
  stopped: AbortSignal,
): Promise<PlaceAnswer> {
  while (!stopped.aborted) {
    await reach.refresh();
    const life = reach.life();
    if (life === 'running' || life === 'unknown') return { kind: 'begun' };
    const verdict = reach.verdict();
    if (verdict !== null || life === 'gone') return { kind: 'none', ended: endedBy(verdict) };
    await clock.sleep(READ_SECONDS, stopped);
  }
  return { kind: 'stopped' };
}

function endedBy(verdict: Verdict | null): Ended {
  if (verdict?.kind === 'ended') return verdict.ended;
  return { kind: 'host_problem', reason: 'nothing of it began where it was to run' };
}

interface Waiting {
  attempt: string;
  plan: Plan;
  directory: string;
  reach: Reach;
}

export function isJob({ executor }: Plan): boolean {
  return executor === 'slurm';
}

/**
 * Waits for the place of an attempt, and has its run begun before its processes read anything. Its
 * claim is renewed with that of all others that wait (`manager/waiting-claims`). Without a place it is
 * made sure that it never begins.
 */
export async function takePlace(
  env: Environment,
  policy: AttemptPolicy,
  { attempt, plan, directory, reach }: Waiting,
  { stopped, managerEnds }: { stopped: AbortSignal; managerEnds: AbortSignal },
): Promise<'begun' | 'manager_ends' | WayOut> {
  await policy.awaitsPlace(reach.where);
  const place = await untilPlace(env, reach, stopped);
  const way = place.kind === 'begun' ? await policy.begin(plan) : wayOf(place);
  if (way === null) {
    policy.started(plan, { warm: false, why: whereText(reach.where) });
    return 'begun';
  }
  if (managerEnds.aborted) return 'manager_ends';
  await unlessDiskTrouble(env, `end attempt ${attempt}`, async () => {
    await env.attempts.markSuperseded(directory);
    const end = await reach.end(GRACE_SECONDS);
    if (end.kind === 'ended') return;
    const message = `${end.left} of attempt ${attempt} is not known to have ended; it ends itself`;
    env.log.warn({ event: 'attempt.unconfirmed', attempt }, message);
  });
  return way;
}

function wayOf(place: Exclude<PlaceAnswer, { kind: 'begun' }>): WayOut {
  return { ended: place.kind === 'none' ? place.ended : null };
}
