import type { Environment } from '../ports/environment.ts';
import type { StoredOutcome } from '../retry/attempt-history.port.ts';
import { type Cause, causeOf } from '../retry/causes.pure.ts';
import { fingerprint } from '../retry/fingerprint.pure.ts';
import type { AttemptFigures } from './attempt-policy.ts';
import { inputSummary } from './live-input.pure.ts';
import type { Failed } from './outcome.pure.ts';

/** What an attempt has come to, as its history keeps it: an attempt at a run, or at a debt. */
export function historyOf(
  env: Environment,
  { plan, result, progress, seconds, peakMemoryBytes }: AttemptFigures,
  end: Pick<StoredOutcome, 'outcome' | 'counted' | 'reason'>,
): StoredOutcome {
  return {
    ...end,
    cause: end.outcome === 'done' ? 'finished' : null,
    ...{ traceback: null, fingerprint: null, plugin: null },
    ...{ seconds, peakMemoryBytes },
    bytes: progress?.bytes ?? null,
    chunks: progress?.chunks ?? null,
    dropped: plan?.dropped ?? [],
    // The lineage of each is in the run document and beside the data: the history stays small.
    products: (result?.products ?? []).map(({ lineage, ...product }) => product),
    // A child that died could not report them itself.
    versions: result?.versions ?? env.executor.versions(),
    input: inputSummary(result?.input),
  };
}

/** What a failure means, by what its attempt has come to. */
export function causeOfFailure(
  env: Environment,
  { progress }: AttemptFigures,
  failed: Failed,
): Cause {
  return causeOf({ ...failed, progress }, env.rules.targets);
}

/** What the history keeps of a failure beside all else. */
export function failureInHistory({
  cause,
  traceback,
  reason,
}: Failed): Pick<StoredOutcome, 'cause' | 'traceback' | 'fingerprint'> {
  return {
    cause: cause.kind,
    traceback: traceback === '' ? null : traceback,
    fingerprint: fingerprint(cause, traceback, reason),
  };
}
