import {
  type Circumstances,
  type ClaimDecision,
  claimDecision,
  type HostFacts,
} from '../../claim/claim.pure.ts';
import type { RetryRules } from '../../infra/config/rules.pure.ts';
import type { decidePlan } from '../../plan/plan.pure.ts';
import { countedConclusion, uncountedDelaySeconds } from '../../retry/backoff.pure.ts';
import type { BootstraxFields, ParsedRun } from '../../run/run.pure.ts';
import { type Change, changesBetween } from './compare.pure.ts';

/** Kinds of decisions that are compared. */
export const SHADOWED = ['claim', 'plan', 'retry', 'stale'] as const;
export type Shadowed = (typeof SHADOWED)[number];

/** A decision of another program, beside what this program would have decided. */
export interface ShadowVerdict {
  kind: Shadowed;
  ours: unknown;
  theirs: unknown;
  /** Null: one of the two is not known. */
  agrees: boolean | null;
  changes: Change[];
}

/** What happened to a run between two readings. */
export type ShadowEvent =
  | { kind: 'taken'; host: string | null }
  | { kind: 'failed'; host: string | null }
  | { kind: 'concluded'; host: string | null };

type Fields = Pick<BootstraxFields, 'state' | 'host' | 'time' | 'attempt' | 'failures'>;

function isHeld({ state }: Pick<BootstraxFields, 'state'>): boolean {
  return state === 'considering' || state === 'busy';
}

/** `before` null: the first reading. A run may have been taken and concluded between two readings. */
export function eventsBetween(before: Fields | null, after: Fields): ShadowEvent[] {
  const { state, host } = after;
  const wasHeld = before !== null && isHeld(before);
  if (isHeld(after)) return wasHeld && before.host === host ? [] : [{ kind: 'taken', host }];
  // A run that had ended at the first reading was decided before this program began.
  if (before === null) return [];
  const failedAgain = state === 'failed' && before.failures !== after.failures;
  if (before.state === state && !failedAgain) return [];
  const taken: ShadowEvent[] = wasHeld || state === null ? [] : [{ kind: 'taken', host }];
  if (state === 'failed') return [...taken, { kind: 'failed', host }];
  return state === null ? [] : [...taken, { kind: 'concluded', host }];
}

/**
 * Whether this program would have taken a run for a host, as another program did. The run is judged in
 * its earlier state: new, or failed and due if it has failed before.
 */
export function claimVerdict(
  parsed: ParsedRun,
  host: HostFacts,
  circumstances: Circumstances,
): ShadowVerdict {
  const decision = claimDecision(asItWas(parsed), host, circumstances);
  const ours = inWords(decision);
  return {
    kind: 'claim',
    ours,
    theirs: { what: 'taken', host: host.host },
    agrees: decision.kind === 'claim',
    changes: decision.kind === 'claim' ? [] : [{ decision: 'taken', from: true, to: ours.why }],
  };
}

function asItWas(parsed: ParsedRun): ParsedRun {
  const before = ({ bootstrax }: { bootstrax: BootstraxFields }): BootstraxFields => ({
    ...bootstrax,
    // The reference keeps the time of a retry through the retry itself.
    state: bootstrax.nextRetry === null ? null : 'failed',
  });
  return parsed.kind === 'run'
    ? { kind: 'run', run: { ...parsed.run, bootstrax: before(parsed.run) } }
    : {
        kind: 'malformed',
        malformed: { ...parsed.malformed, bootstrax: before(parsed.malformed) },
      };
}

/** A decision, as the log names it. */
export function inWords(decision: ClaimDecision): { what: string; why: string } {
  switch (decision.kind) {
    case 'claim':
      return { what: 'taken', why: decision.why };
    case 'set_aside':
      return { what: 'set aside', why: decision.why };
    case 'pass':
      return { what: decision.verdict, why: decision.why };
  }
}

/** The fields of a running attempt in `eb_monitor`; absent: the host does not write it. */
export interface ShownPlan {
  targets?: readonly string[];
  postProcessing?: readonly string[];
  cores?: number;
  maxMessages?: number;
  timeoutSeconds?: number;
}

const PLANNED = ['targets', 'postProcessing', 'cores', 'maxMessages', 'timeoutSeconds'] as const;

/** Compares the plan of a host with the one that this program would have made for it. */
export function planVerdict(ours: ReturnType<typeof decidePlan>, shown: ShownPlan): ShadowVerdict {
  const theirs = pick(shown);
  if (ours.kind !== 'decided') {
    return { kind: 'plan', ours, theirs, agrees: false, changes: [] };
  }
  const names = PLANNED.filter((name) => shown[name] !== undefined);
  const changes = changesBetween(theirs, ours, names);
  return {
    kind: 'plan',
    ours: { ...pick(ours), recordsCompressor: ours.recordsCompressor, reasons: ours.reasons },
    theirs,
    agrees: names.length === 0 ? null : changes.length === 0,
    changes,
  };
}

function pick(plan: ShownPlan): Record<string, unknown> {
  return Object.fromEntries(PLANNED.map((name) => [name, plan[name]]));
}

/** Tolerated difference between the clocks of database and event builder. */
const CLOCKS_SECONDS = 5;

/** Compares the time of the next attempt after a failure with the one of this program. */
export function retryVerdict(
  failuresBefore: number,
  after: Pick<BootstraxFields, 'failures' | 'nextRetry' | 'time' | 'uncounted'>,
  rules: RetryRules,
): ShadowVerdict {
  const seconds =
    after.nextRetry === null || after.time === null
      ? null
      : (after.nextRetry.getTime() - after.time.getTime()) / 1000;
  const theirs = { failures: after.failures, delaySeconds: seconds };
  const verdict = (ours: unknown, agrees: boolean | null): ShadowVerdict => ({
    kind: 'retry',
    ours,
    theirs,
    agrees,
    changes: agrees === false ? [{ decision: 'afterAFailure', from: theirs, to: ours }] : [],
  });
  if (after.failures === failuresBefore) {
    const longest = uncountedDelaySeconds(Math.max(1, after.uncounted), rules);
    const ours = { failures: failuresBefore, delaySeconds: [0, longest] };
    // The document does not show the fault.
    return verdict(ours, seconds === null ? null : seconds <= longest + CLOCKS_SECONDS);
  }
  const [least, most] = [0, 1].map((random) => countedConclusion(failuresBefore, random, rules));
  const failures = least?.failures ?? failuresBefore + 1;
  // A run at the limit is not tried again, whatever time its document names.
  if (least?.kind !== 'failed' || most?.kind !== 'failed') {
    return verdict({ failures, givenUp: true }, after.failures >= rules.maxFailures);
  }
  const range = [least.delaySeconds, most.delaySeconds];
  const fits =
    seconds !== null &&
    seconds >= least.delaySeconds - CLOCKS_SECONDS &&
    seconds <= most.delaySeconds + CLOCKS_SECONDS;
  return verdict({ failures, delaySeconds: range }, fits && after.failures === failures);
}

/** Compares what happened to a run whose holder was silent for the whole lease. */
export function staleVerdict(
  silent: { host: string | null; time: Date | null },
  after: Pick<BootstraxFields, 'state' | 'host' | 'time' | 'reason'>,
): ShadowVerdict {
  const goesOn = isHeld(after) && after.host === silent.host;
  const theirs = {
    what: goesOn ? 'its holder went on with it' : (after.state ?? 'new'),
    host: after.host,
    reason: after.reason?.split('\n')[1] ?? null,
  };
  const ours = { what: 'back to the queue', host: silent.host };
  return {
    kind: 'stale',
    ours,
    theirs,
    agrees: !goesOn,
    changes: goesOn ? [{ decision: 'stale', from: theirs.what, to: ours.what }] : [],
  };
}
