import { abandonTagged } from '../attempt/abandon.ts';
import type { AttemptBook } from '../attempt/attempt-book.ts';
import { setAsideAsFits, setAsideFor } from '../attempt/conclude-run.ts';
import { reasonText } from '../attempt/outcome.pure.ts';
import type { RunTaken } from '../attempt/run-policy.ts';
import type { ExecutorName } from '../executors/executor-name.pure.ts';
import type { Environment } from '../ports/environment.ts';
import { runLabel, tellDaq } from '../ports/notify.ts';
import { aboutOneRun, isUnfit } from '../ports/persist.ts';
import { malformedText } from '../retry/failure.ts';
import type { FieldProblem, ParsedRun, Run } from '../run/run.pure.ts';
import type { Seen } from '../run/run-document.port.ts';
import { type Bookmarks, type Candidate, candidatePages, type Retries } from './candidates.ts';
import {
  claimDecision,
  type FleetFacts,
  type HostFacts,
  orderCandidates,
  type Purpose,
} from './claim.pure.ts';
import { fleetFacts } from './fleet-facts.ts';
import { Walk } from './fleet-order.pure.ts';
import type { NoticedRuns } from './noticed-runs.ts';
import type { PlacesHere } from './places-here.ts';

export interface TurnAnswer {
  /** There was no candidate. */
  quiet: boolean;
  /** Seconds until a waiting run falls due; null if none does within the time asked for. */
  nextDueSeconds: number | null;
  /** A candidate was a failed run whose count of failures is no number. */
  oddCounts: boolean;
}

/** What a round needs besides the environment. */
export interface TurnMeans {
  book: AttemptBook;
  places: PlacesHere;
  /** Called only if there are candidates. */
  accepting: () => Promise<HostFacts['accepting']>;
  notices: NoticedRuns;
  bookmarks: Bookmarks;
  /** How many free hosts claim before this one. */
  rank: () => number;
  /**
   * Called when more hosts are free than there are runs. True: the rest is left to the other hosts, which
   * is never so twice in a row.
   */
  leave: () => boolean;
  /** Called with each claimed run. */
  take: (taken: RunTaken) => void;
}

/**
 * One round: reads candidates, claims as many as there are free slots and sets malformed ones aside. It
 * reads further pages while a slot is free.
 */
export async function claimTurn(
  env: Environment,
  retries: Retries,
  means: TurnMeans,
): Promise<TurnAnswer> {
  const now = await env.store.serverTime();
  const asked = { includeHeld: false, retries, now };
  let turn: Turn | null = null;
  let nextDueSeconds: number | null = null;
  let oddCounts = false;
  for await (const page of candidatePages(env, asked, means.bookmarks)) {
    if (turn === null && page.length === 0) return { quiet: true, nextDueSeconds: null, oddCounts };
    turn ??= {
      now,
      monotonicSeconds: env.clock.monotonicSeconds(),
      fleet: await fleetFacts(env, now),
      host: { host: env.host, role: env.role, accepting: await means.accepting() },
    };
    const due = await lookThrough(env, page, turn, means);
    nextDueSeconds = earlier(nextDueSeconds, due);
    oddCounts ||= page.some(({ stored, seen }) => stored.hasOddCount && !env.left.isLeft(seen.id));
    if (!turn.host.accepting.ok || !means.places.hasAny) break;
  }
  return { quiet: false, nextDueSeconds, oddCounts };
}

interface Turn {
  now: Date;
  monotonicSeconds: number;
  fleet: FleetFacts;
  host: HostFacts;
}

/** Claims runs of one page; returns the seconds until the first waiting run falls due. */
async function lookThrough(
  env: Environment,
  page: readonly Candidate[],
  turn: Turn,
  means: TurnMeans,
): Promise<number | null> {
  for (const { seen } of page) means.notices.note(seen.id, turn.monotonicSeconds);
  const { free, nextDue } = await sortOut(env, page, turn, means);
  await claimInTurn(env, free, turn, means);
  return nextDue;
}

/** Those of a page that may be claimed, and when the first waiting one falls due; others are settled by the way. */
async function sortOut(
  env: Environment,
  page: readonly Candidate[],
  { now, host, fleet }: Turn,
  means: TurnMeans,
): Promise<{ free: Takeable[]; nextDue: number | null }> {
  let nextDue: number | null = null;
  const free: Takeable[] = [];
  const takeable = page.filter(({ seen }) => !env.left.isLeft(seen.id));
  for (const { document, seen, parsed } of orderCandidates(takeable, env.rules, now)) {
    const decision = claimDecision(parsed, host, { fleet, rules: env.rules, now });
    switch (decision.kind) {
      case 'claim':
        if (parsed.kind === 'run' && means.book.ofRun(seen.id) === null) {
          free.push({ ...decision, parsed, run: parsed.run, seen });
        }
        break;
      case 'set_aside':
        await aboutOneRun(env, seen, () => setAside(env, seen, decision.problems));
        break;
      case 'pass': {
        if (decision.verdict === 'abandoned') {
          await aboutOneRun(env, seen, () => abandonTagged(env, document));
        }
        if (decision.until === null) break;
        nextDue = earlier(nextDue, Math.max(0, (decision.until.getTime() - now.getTime()) / 1000));
        break;
      }
    }
  }
  return { free, nextDue };
}

async function claimInTurn(
  env: Environment,
  free: readonly Takeable[],
  turn: Turn,
  means: TurnMeans,
): Promise<void> {
  const { now, host } = turn;
  const rank = means.rank();
  const walk = new Walk(free, rank, env.host);
  while (means.places.hasAny) {
    const next = walk.next();
    if (next === undefined) break;
    const { on } = await means.places.placeOf(next.run, now);
    if (on === 'nowhere') continue;
    // Runs claimed meanwhile are no longer in the queue.
    const still = claimDecision(next.parsed, host, { fleet: turn.fleet, rules: env.rules, now });
    if (still.kind === 'claim' && !(await claim(env, { ...next, on }, turn, means))) {
      // All free hosts would try each of the last runs, and nearly all would be too late.
      if (rank >= free.length && means.leave()) break;
      walk.lost();
      continue;
    }
    if (still.kind === 'claim' && next.purpose === 'new') turn.fleet = withOneLess(turn.fleet);
    walk.taken();
  }
}

/** A backup host helps only while the queue is long; a run that it has claimed no longer counts. */
function withOneLess(fleet: FleetFacts): FleetFacts {
  return { ...fleet, queueLength: fleet.queueLength - 1 };
}

interface Takeable {
  parsed: ParsedRun;
  run: Run;
  seen: Seen;
  purpose: Purpose;
  why: string;
}

/** False if another host was faster. */
async function claim(
  env: Environment,
  { run, seen, purpose, why, on }: Takeable & { on: ExecutorName },
  { now, monotonicSeconds }: Pick<Turn, 'now' | 'monotonicSeconds'>,
  { notices, take }: TurnMeans,
): Promise<boolean> {
  const attempt = env.attempts.newId();
  if (!(await claimed(env, seen, attempt))) return false;
  env.log.info(
    { event: 'run.claimed', run: run.number, attempt, purpose, on },
    `claimed run ${run.number}${on === 'slurm' ? ' for Slurm' : ''}: ${why}`,
  );
  const { state, nextRetry } = run.bootstrax;
  const due = state === 'failed' ? nextRetry : null;
  const noticed = notices.take(seen.id, { now, monotonicSeconds, due });
  take({ run, fence: { id: seen.id, attempt, host: env.host }, noticed, to: on });
  return true;
}

function earlier(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.min(one, other);
}

/** If the database refuses the claim itself, the run is set aside: no other host could claim it. */
async function claimed(env: Environment, seen: Seen, attempt: string): Promise<boolean> {
  const answer = await aboutOneRun(env, seen, async () => {
    try {
      return await env.store.runs.claim(seen, { attempt, host: env.host });
    } catch (error) {
      if (!isUnfit(error)) throw error;
      await setAside(env, seen, setAsideFor(env, error.message).problems);
      return 'lost';
    }
  });
  return answer === 'claimed';
}

/** Sets a malformed run aside, once, so that people see it and no host tries it again. */
export async function setAside(
  env: Environment,
  seen: Seen,
  problems: readonly FieldProblem[],
): Promise<void> {
  const text = malformedText(runLabel(seen), problems);
  const written = await setAsideAsFits(env, seen, {
    kind: 'set_aside',
    reason: reasonText(env.host, text, ''),
    problems,
  });
  if (written !== 'landed') return;
  env.log.error({ event: 'run.set_aside', run: seen.number, problems }, text);
  await tellDaq(env, 'error', text, seen.number);
}
