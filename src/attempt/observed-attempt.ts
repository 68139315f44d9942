import type { ExecutorName } from '../executors/executor-name.pure.ts';
import type { Fence } from '../run/run.port.ts';
import type { Plan } from './attempt.pure.ts';
import type { AttemptKind } from './attempt-kind.ts';
import type { AttemptPolicy, Life } from './attempt-policy.ts';
import type { FoundDead } from './dead-attempt.ts';
import type { AttemptFiles } from './files/attempt-directory.ts';
import type { FoundClaim } from './found-claim.ts';

/** What there is of an attempt when this manager takes it up. */
export type Observed =
  /** Its claim, and nothing else. */
  | { kind: 'claimed' }
  /** What an earlier manager has begun: its child is alive, or has left its last words. */
  | { kind: 'begun'; files: AttemptFiles & { plan: Plan } }
  /** Nothing of it is under way, and its run is not its own. */
  | FoundDead
  /** Nothing of it is known here, and yet a run is claimed for it. */
  | FoundClaim;

/** Which attempt it is: one that has a run, or the debt of one, or one that has neither any more. */
export type AttemptOf =
  | { fence: Fence; on: ExecutorName; policyOf: (life: Life) => AttemptPolicy }
  | { attempt: string; kind: AttemptKind };

/** What an attempt has that has its run. */
export interface Held {
  fence: Fence;
  policy: AttemptPolicy;
}

export interface AttemptHooks {
  /** At each change of phase. */
  onPhase: () => void;
  /** The manager ends: nothing more is written, the child goes on. */
  managerEnds: AbortSignal;
}
