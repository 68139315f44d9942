import { boundedText } from '../infra/values/bounded.pure.ts';
import type { Environment } from '../ports/environment.ts';
import { isOfDatabase, isUnfit, untilAnswered, untilWritten } from '../ports/persist.ts';
import type { Concluded, Conclusion, Fence } from '../run/run.port.ts';
import { readRun } from '../run/run.pure.ts';
import type { Seen } from '../run/run-document.port.ts';
import { reasonText } from './outcome.pure.ts';

/** A reason that does not fit as it is keeps this much of its text. */
const SHORT_REASON_CHARACTERS = 200;
const SHORT_PROBLEM = 100;

/** What was written in the end, which may be less than was to be written. */
export interface ConcludedAs {
  answer: Concluded;
  conclusion: Conclusion;
  /** Why the run is set aside in place of what it should have become; null: it has become that. */
  refusal: string | null;
}

/**
 * Concludes a run by the largest write that the database takes: the whole, the same in short, or
 * setting it aside with as little as possible. Null if `signal` ended the waiting; throws a
 * `StoreError` 'unfit' if it takes none.
 */
export async function concludeAsFits(
  env: Environment,
  { fence, run }: { fence: Fence; run: number },
  conclusion: Conclusion,
  signal: AbortSignal,
): Promise<ConcludedAs | null> {
  let again = false;
  const write = async (each: Conclusion): Promise<Concluded | null> =>
    untilWritten(env, `the outcome of run ${run}`, signal, (repeated) =>
      env.store.runs.conclude(fence, each, again || repeated),
    );
  let refusal: string | null = null;
  for (const each of [conclusion, inShort(conclusion)]) {
    try {
      const answer = await write(each);
      return answer === null ? null : { answer, conclusion: each, refusal: null };
    } catch (error) {
      if (!isUnfit(error)) throw error;
      refusal = error.message;
      again = true;
    }
    // An answer that tells of an error may come after the write has landed.
    const outcome = await untilAnswered(env, `run ${run}`, signal, () => outcomeBy(env, fence));
    if (outcome === null) return null;
    if (outcome === each.kind) {
      return { answer: { kind: 'landed', statusLeft: null }, conclusion: each, refusal: null };
    }
  }
  // Nor is what it would have listed.
  const unlisted = (conclusion.register ?? []).map(({ location }) => location);
  const unregister = [...(conclusion.unregister ?? []), ...unlisted];
  const smallest = setAsideFor(env, refusal ?? '', unregister);
  const answer = await write(smallest);
  return answer === null ? null : { answer, conclusion: smallest, refusal };
}

/** How this attempt has concluded its run; empty if it has not. */
async function outcomeBy(env: Environment, { id, attempt }: Fence): Promise<string> {
  const { own, bootstrax } = readRun(await env.store.runs.byId(id));
  const isConcluded = own.lastAttempt === attempt && bootstrax.attempt !== attempt;
  return isConcluded ? (bootstrax.outcome ?? '') : '';
}

/** Sets a run aside that nobody owns, by the largest write that the database takes. */
export async function setAsideAsFits(
  env: Environment,
  seen: Seen,
  conclusion: Extract<Conclusion, { kind: 'set_aside' }>,
): Promise<'landed' | 'changed'> {
  try {
    return await env.store.runs.settle(seen, env.host, conclusion);
  } catch (error) {
    if (!isOfDatabase(error) || (error.kind !== 'unfit' && error.kind !== 'unclear')) throw error;
    return env.store.runs.settle(seen, env.host, setAsideFor(env, error.message, []));
  }
}

/** The smallest conclusion of all: the run waits for a person. */
export function setAsideFor(
  env: Environment,
  refusal: string,
  unregister: readonly string[] = [],
): Extract<Conclusion, { kind: 'set_aside' }> {
  const problem = boundedText(`the database refuses it: ${refusal}`, SHORT_PROBLEM);
  return {
    kind: 'set_aside',
    smallest: true,
    reason: reasonText(env.host, problem, ''),
    problems: [{ field: '(document)', problem }],
    unregister,
  };
}

/** Without lineages, tracebacks and all but the first problem. */
function inShort(conclusion: Conclusion): Conclusion {
  const { register } = conclusion;
  const common =
    register === undefined
      ? {}
      : { register: register.map((entry) => ({ ...entry, lineage: {} })) };
  switch (conclusion.kind) {
    case 'done':
      return { ...conclusion, ...common };
    case 'set_aside':
      return {
        ...conclusion,
        ...common,
        reason: boundedText(conclusion.reason, SHORT_REASON_CHARACTERS),
        problems: conclusion.problems.slice(0, 1),
      };
    case 'failed':
    case 'given_up':
      return {
        ...conclusion,
        ...common,
        reason: boundedText(conclusion.reason, SHORT_REASON_CHARACTERS),
      };
    case 'requeued':
    case 'abandoned': {
      const { reason } = conclusion;
      const short = reason === null ? null : boundedText(reason, SHORT_REASON_CHARACTERS);
      return { ...conclusion, ...common, reason: short };
    }
  }
}
