import { counted } from '../infra/values/counted.pure.ts';
import { faultSeenNow } from '../plan/prepare.ts';
import type { LogPriority } from '../ports/daq.port.ts';
import type { Environment } from '../ports/environment.ts';
import type { StoredOutcome } from '../retry/attempt-history.port.ts';
import { concludedFailure, malformedText } from '../retry/failure.ts';
import { howToMend, type Unmendable, unmendableText } from '../retry/unmendable.pure.ts';
import type { Conclusion, DataRegistration, Fence } from '../run/run.port.ts';
import type { FieldProblem, Run } from '../run/run.pure.ts';
import type { NumberTaken } from '../run/same-number.pure.ts';
import type { FaultSeen } from '../run/stored-run.pure.ts';
import type { Product } from './attempt.pure.ts';
import type { AttemptFigures } from './attempt-policy.ts';
import type { AttemptTimes } from './attempt-times.pure.ts';
import { causeOfFailure, failureInHistory, historyOf } from './ended-attempt.ts';
import { incompleteOf, lacksData } from './live-input.pure.ts';
import { type Outcome, reasonText, type SetAsideCause, unpublished } from './outcome.pure.ts';
import { replacedBy } from './replaced-products.ts';

/** What is known of an attempt at a run when it is concluded; as much as it came to. */
export interface AttemptSoFar extends AttemptFigures {
  run: Run;
  fence: Fence;
  /** Folders that strax began, final names. */
  locations: readonly string[];
  times: AttemptTimes;
}

/** What an attempt has come to, as it is written into the databases and told. */
export interface Decided {
  conclusion: Conclusion;
  outcome: StoredOutcome;
  /** For the DAQ's log. */
  priority: LogPriority;
  message: string;
}

/** What an outcome means for run, history and log; nothing is written. */
export async function conclusionOf(
  env: Environment,
  attempt: AttemptSoFar,
  outcome: Concluding,
): Promise<Decided> {
  return decide(env, attempt, outcome, await faultSeenBy(env, attempt, outcome));
}

/** What was made and checked cannot be published. */
export function conclusionOfUnpublished(
  env: Environment,
  attempt: AttemptSoFar,
  reason: string,
): Decided {
  return decide(env, attempt, unpublished(attempt.run.number, reason), null);
}

/** The document does not take the outcome: a person has to correct it. */
export function setAsideInstead(
  env: Environment,
  attempt: AttemptSoFar,
  conclusion: Conclusion,
  refusal: string,
): Decided {
  const { number } = attempt.run;
  const text = `run ${number} cannot be concluded: the database refuses what has to be written into its document: ${refusal}`;
  return {
    conclusion,
    outcome: historyOf(env, attempt, aside(text)),
    priority: 'error',
    message: `${text}. Look at the size and the fields of the document, then 'bootstrax retry ${number}'`,
  };
}

function aside(reason: string): Pick<StoredOutcome, 'outcome' | 'counted' | 'reason'> {
  return { outcome: 'set_aside', counted: false, reason };
}

export function keepsProducts({ conclusion }: Decided): boolean {
  return conclusion.kind === 'set_aside' && (conclusion.register ?? []).length > 0;
}

/** What an attempt can come to that still has its run. */
type Concluding = Exclude<Outcome, { kind: 'superseded' }>;
type Of<Kind extends Outcome['kind']> = Extract<Outcome, { kind: Kind }>;

function decide(
  env: Environment,
  attempt: AttemptSoFar,
  outcome: Concluding,
  faultSeen: FaultSeen | null,
): Decided {
  switch (outcome.kind) {
    case 'set_aside':
      return decidedSetAside(env, attempt, outcome.cause, faultSeen);
    case 'abandoned':
      return decidedAbandoned(env, attempt, outcome);
    case 'done':
      return decidedDone(env, attempt);
    case 'failed':
      return decidedFailed(env, attempt, outcome, faultSeen);
  }
}

function decidedSetAside(
  env: Environment,
  attempt: AttemptSoFar,
  cause: SetAsideCause,
  faultSeen: FaultSeen | null,
): Decided {
  switch (cause.kind) {
    case 'malformed':
      return decidedMalformed(env, attempt, cause.problems, faultSeen);
    case 'unmendable': {
      const { problems } = cause;
      return decidedUnmendable(env, attempt, { problems, canBeRead: false }, faultSeen);
    }
    case 'same_number':
      return decidedSameNumber(env, attempt, cause);
  }
}

function decidedMalformed(
  env: Environment,
  attempt: AttemptSoFar,
  problems: readonly FieldProblem[],
  faultSeen: FaultSeen | null,
): Decided {
  const { number } = attempt.run;
  const text = malformedText(`run ${number}`, problems);
  return {
    conclusion: {
      kind: 'set_aside',
      reason: reasonText(env.host, text, ''),
      problems,
      unregister: attempt.locations,
      ...(faultSeen === null ? {} : { faultSeen }),
    },
    outcome: historyOf(env, attempt, aside(text)),
    priority: 'error',
    message: `${text}. ${howToMend(number, problems)}`,
  };
}

function decidedSameNumber(
  env: Environment,
  attempt: AttemptSoFar,
  { text, problems, sameNumber }: NumberTaken,
): Decided {
  const reason = reasonText(env.host, text, '');
  return {
    conclusion: { kind: 'set_aside', reason, problems, sameNumber },
    outcome: historyOf(env, attempt, aside(text)),
    priority: 'error',
    message: text,
  };
}

function decidedAbandoned(
  env: Environment,
  attempt: AttemptSoFar,
  { reason }: Of<'abandoned'>,
): Decided {
  return {
    conclusion: { kind: 'abandoned', reason: null, unregister: attempt.locations },
    outcome: historyOf(env, attempt, { outcome: 'abandoned', counted: false, reason }),
    priority: 'warning',
    message: `run ${attempt.run.number} is abandoned: ${reason}`,
  };
}

function decidedDone(env: Environment, attempt: AttemptSoFar): Decided {
  const products = attempt.result?.products ?? [];
  const replaced = attempt.plan === null ? [] : replacedBy(attempt.plan, products);
  const incomplete = incompleteOf(attempt.result?.input);
  const handOn = incomplete === null || !lacksData(incomplete);
  return {
    conclusion: {
      kind: 'done',
      register: products.map(registration),
      ...(replaced.length === 0 ? {} : { unregister: replaced }),
      handOn,
      ...(incomplete === null ? {} : { incomplete }),
    },
    outcome: historyOf(env, attempt, { outcome: 'done', counted: false, reason: null }),
    priority: handOn ? 'info' : 'error',
    message: `run ${attempt.run.number} is done${handOn ? '' : ' but INCOMPLETE, and not handed on'}: ${counted(products.length, 'data type')}`,
  };
}

function decidedFailed(
  env: Environment,
  attempt: AttemptSoFar,
  outcome: Of<'failed'>,
  faultSeen: FaultSeen | null,
): Decided {
  const { run } = attempt;
  const { reason } = outcome;
  if (outcome.unmendable !== undefined) {
    const decided = decidedUnmendable(env, attempt, outcome.unmendable, faultSeen);
    return { ...decided, outcome: { ...decided.outcome, ...failureInHistory(outcome) } };
  }
  const meaning = causeOfFailure(env, attempt, outcome);
  const of = { run: run.number, before: run.bootstrax, cause: meaning };
  const failure = concludedFailure(env, of, outcome);
  const { kind } = failure.conclusion;
  return {
    conclusion: { ...failure.conclusion, unregister: attempt.locations },
    outcome: {
      ...historyOf(env, attempt, { outcome: kind, counted: failure.counted, reason }),
      ...failureInHistory(outcome),
      meaning,
      plugin: outcome.culprit,
    },
    priority: failure.priority,
    message: failure.message,
  };
}

/** What was made stays, and is listed. */
function decidedUnmendable(
  env: Environment,
  attempt: AttemptSoFar,
  unmendable: Unmendable,
  faultSeen: FaultSeen | null,
): Decided {
  const { number } = attempt.run;
  const text = unmendableText(`run ${number}`, unmendable);
  // What there is of before, and a person wants kept, is better than what can be read now.
  const isBetter = (attempt.plan?.replaces ?? []).length > 0;
  const products = unmendable.canBeRead && !isBetter ? (attempt.result?.products ?? []) : [];
  const kept = new Set(products.map(({ location }) => location));
  return {
    conclusion: {
      kind: 'set_aside',
      reason: reasonText(env.host, text, ''),
      problems: unmendable.problems,
      register: products.map(registration),
      unregister: attempt.locations.filter((location) => !kept.has(location)),
      ...(faultSeen === null ? {} : { faultSeen }),
    },
    outcome: historyOf(env, attempt, aside(text)),
    priority: 'error',
    message: `${text}. ${howToMend(number, unmendable.problems)}`,
  };
}

/** Only for a fault that an attempt has found: document and live data need not show it by themselves. */
async function faultSeenBy(
  env: Environment,
  { run, plan }: AttemptSoFar,
  outcome: Outcome,
): Promise<FaultSeen | null> {
  if (outcome.kind === 'set_aside') {
    return outcome.cause.kind === 'malformed' ? (outcome.cause.faultSeen ?? null) : null;
  }
  if (outcome.kind !== 'failed' || plan === null) return null;
  const { unmendable } = outcome;
  if (unmendable === undefined) return null;
  return faultSeenNow(env, run, plan.liveDataDirectory);
}

/** The entry of a product in its run document. */
export function registration({ type, location, lineage }: Product): DataRegistration {
  return { type, location, lineage };
}
