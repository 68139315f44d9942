import { claimDecision, orderCandidates, type HostFacts } from '../domain/claim.ts';
import { parseRun, type FieldProblem, type ParsedRun, type Run } from '../domain/run.ts';
import { reasonText } from '../domain/verdict.ts';
import { idText } from '../store/document-id.ts';
import type { RunDocument, Seen } from '../store/types.ts';
import { fleetFacts } from '../store/fleet-facts.ts';
import { seenOf } from '../store/runs.ts';
import type { AttemptBook } from './attempt-book.ts';
import type { Environment } from './environment.ts';
import { malformedText } from './failure.ts';
import type { Notices } from './notices.ts';
import { runLabel, tellDaq } from './tell.ts';

/** Candidates looked at in one turn, of each kind: the loser of a race takes the next of its batch. */
const BATCH = 20;

export interface Candidate {
  document: RunDocument;
  seen: Seen;
  parsed: ParsedRun;
}

export interface TurnAnswer {
  /** There was nothing to look at. */
  quiet: boolean;
  /** Until a waiting run falls due; null if none does within the time asked about. */
  nextDueSeconds: number | null;
}

/** Failed runs that are due within `withinSeconds`, or none of them. */
export type Retries = { withinSeconds: number } | 'none';

/** Runs that may be taken now or soon, as the database has them. */
export async function candidates(
  env: Pick<Environment, 'store' | 'rules' | 'role'>,
  options: { includeHeld: boolean; retries: Retries; now: Date },
): Promise<Candidate[]> {
  const { retry, claim } = env.rules;
  const { now, retries } = options;
  const overdueBefore = new Date(now.getTime() - claim.overdueSeconds * 1000);
  const [fresh, due] = await Promise.all([
    env.store.runs.newCandidates({ limit: BATCH, includeHeld: options.includeHeld }),
    retries === 'none'
      ? []
      : env.store.runs.retryDue({
          now: new Date(now.getTime() + retries.withinSeconds * 1000),
          giveUpAfter: retry.maxFailures,
          limit: BATCH,
        }),
  ]);
  // Newest first fills the batch: only then may a long overdue run have been left out.
  const overdue =
    due.length < BATCH
      ? []
      : await env.store.runs.overdue({
          before: overdueBefore,
          giveUpAfter: retry.maxFailures,
          limit: BATCH,
        });
  const forAnyHost =
    env.role === 'primary' || fresh.length < BATCH
      ? []
      : await env.store.runs.newCandidates({ limit: BATCH, withoutDetector: claim.mainDetector });
  const byId = new Map(
    [...fresh, ...forAnyHost, ...due, ...overdue].map((doc) => [idText(doc._id), doc]),
  );
  return [...byId.values()].map((document) => ({
    document,
    seen: seenOf(document),
    parsed: parseRun(document),
  }));
}

/**
 * One turn: looks at the candidates, takes as many as there are free slots, sets malformed ones
 * aside. `accepting` is asked only if there are candidates; `take` is called with each claimed run.
 */
export async function claimTurn(
  env: Environment,
  book: AttemptBook,
  accepting: () => Promise<HostFacts['accepting']>,
  retries: Retries,
  notices: Notices,
  take: (run: Run, seen: Seen, attempt: string, noticed: Date | null) => void,
): Promise<TurnAnswer> {
  const now = await env.store.serverTime();
  const found = await candidates(env, { includeHeld: false, retries, now });
  if (found.length === 0) return { quiet: true, nextDueSeconds: null };
  const monotonicSeconds = env.clock.monotonicSeconds();
  for (const { seen } of found) notices.note(seen.id, monotonicSeconds);
  const fleet = await fleetFacts(env, now);
  const host: HostFacts = { host: env.host, role: env.role, accepting: await accepting() };
  let nextDue: number | null = null;
  for (const { seen, parsed } of orderCandidates(found, env.rules, now)) {
    const decision = claimDecision(parsed, host, fleet, env.rules, now);
    switch (decision.kind) {
      case 'claim': {
        if (parsed.kind !== 'run' || book.size >= env.slots || book.ofRun(seen.id) !== null) break;
        const attempt = env.attempts.newId();
        if ((await env.store.runs.claim(seen, { attempt, host: env.host })) === 'claimed') {
          env.log.info(
            { event: 'run.claimed', run: parsed.run.number, attempt, purpose: decision.purpose },
            `claimed run ${parsed.run.number}: ${decision.why}`,
          );
          const { state, nextRetry } = parsed.run.bootstrax;
          const due = state === 'failed' ? nextRetry : null;
          const noticed = notices.take(seen.id, { now, monotonicSeconds, due });
          take(parsed.run, seen, attempt, noticed);
        }
        break;
      }
      case 'set_aside':
        await setAside(env, seen, decision.problems);
        break;
      case 'pass': {
        if (decision.until === null) break;
        const wait = Math.max(0, (decision.until.getTime() - now.getTime()) / 1000);
        nextDue = nextDue === null ? wait : Math.min(nextDue, wait);
        break;
      }
    }
  }
  return { quiet: false, nextDueSeconds: nextDue };
}

/** Marks a malformed document, once, so that it is visible and harms nothing else. */
export async function setAside(
  env: Environment,
  seen: Seen,
  problems: readonly FieldProblem[],
): Promise<void> {
  const text = malformedText(runLabel(seen), problems);
  const written = await env.store.runs.settle(seen, env.host, {
    kind: 'set_aside',
    reason: reasonText(env.host, text, ''),
    problems,
  });
  if (written !== 'landed') return;
  env.log.error({ event: 'run.set_aside', run: seen.number, problems }, text);
  await tellDaq(env, 'error', text, seen.number);
}
