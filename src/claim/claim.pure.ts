import type { HostRole } from '../infra/config/host-role.pure.ts';
import type { Rules } from '../infra/config/rules.pure.ts';
export { orderCandidates } from './claim-order.pure.ts';

import { counted } from '../infra/values/counted.pure.ts';
import {
  type BootstraxFields,
  type FieldProblem,
  type ParsedRun,
  problemsText,
} from '../run/run.pure.ts';
import { ABANDON_TAG, HOLD_TAG } from '../run/run-tags.pure.ts';

export interface HostFacts {
  host: string;
  role: HostRole;
  /**
   * Whether this host would claim a run now (context, disk, database); the reason is one sentence.
   * `assumed`: why the host is assumed to, where nothing is known of it.
   */
  accepting: { ok: true; assumed?: string } | { ok: false; reason: string };
}

export interface FleetFacts {
  /** Runs with state null, held ones too, as the reference counts them. */
  queueLength: number;
  /** Primary hosts with a recent heartbeat that would claim. */
  livePrimaries: number;
}

/** What a claim is decided by, beside the run and the host. */
export interface Circumstances {
  fleet: FleetFacts;
  rules: Rules;
  now: Date;
}

export type Verdict =
  'eligible' | 'waiting' | 'running' | 'held' | 'finished' | 'givenUp' | 'abandoned' | 'malformed';

/** One rule as it was applied, for `explain`. */
export interface AppliedRule {
  rule: string;
  value: string;
  holds: boolean;
}

export type Purpose = 'new' | 'retry';

export type ClaimDecision =
  | { kind: 'claim'; purpose: Purpose; why: string }
  /** The document is malformed and not set aside yet: write `set_aside` with these problems. */
  | { kind: 'set_aside'; why: string; problems: readonly FieldProblem[] }
  /** `until`: when the answer may change by itself. */
  | { kind: 'pass'; verdict: Exclude<Verdict, 'eligible'>; why: string; until: Date | null };

export interface Evaluation {
  decision: ClaimDecision;
  /** All rules that were applied, also those after the first that does not hold. */
  rules: AppliedRule[];
}

/** Whether this host may claim this run now. */
export function claimDecision(
  parsed: ParsedRun,
  host: HostFacts,
  circumstances: Circumstances,
): ClaimDecision {
  return evaluateClaim(parsed, host, circumstances).decision;
}

interface Check extends AppliedRule {
  /** The decision if this is the first rule that does not hold. */
  otherwise: ClaimDecision;
}

function pass(verdict: Exclude<Verdict, 'eligible'>, why: string, until: Date | null = null) {
  return { kind: 'pass', verdict, why, until } as const;
}

/** The decision, and the rules that led to it, for `explain`. */
export function evaluateClaim(
  parsed: ParsedRun,
  host: HostFacts,
  { fleet, rules, now }: Circumstances,
): Evaluation {
  const { bootstrax } = parsed.kind === 'run' ? parsed.run : parsed.malformed;
  const purpose: Purpose = bootstrax.state === null ? 'new' : 'retry';
  const checks = [
    stateCheck(parsed, bootstrax),
    ...tagChecks(parsed),
    ...(bootstrax.state === 'failed' ? retryChecks(parsed, bootstrax, rules, now) : []),
    documentCheck(parsed, host),
    hostCheck(host),
    ...(bootstrax.state === null && parsed.kind === 'run'
      ? [roleCheck(parsed.run.detectors, host, fleet, rules)]
      : []),
  ];
  const broken = checks.find((check) => !check.holds);
  const decision = broken?.otherwise ?? {
    kind: 'claim',
    purpose,
    why:
      purpose === 'new' ? 'a new run' : `a retry after ${counted(bootstrax.failures, 'failure')}`,
  };
  return {
    decision,
    rules: checks.map(({ rule, value, holds }) => ({ rule, value, holds })),
  };
}

/** A problem that hides the state of the run: such a document is left alone. */
function stateProblem(parsed: ParsedRun): FieldProblem | undefined {
  if (parsed.kind === 'run') return undefined;
  return parsed.malformed.problems.find(({ field }) =>
    ['bootstrax', 'bootstrax.state', '(document)'].includes(field),
  );
}

function stateCheck(parsed: ParsedRun, bootstrax: BootstraxFields): Check {
  const rule = 'the run is new, or failed';
  const problem = stateProblem(parsed);
  if (problem !== undefined) {
    const why = `its state is not known: ${problem.field} ${problem.problem}`;
    return { rule, value: 'not known', holds: false, otherwise: pass('malformed', why) };
  }
  const { state } = bootstrax;
  const by = bootstrax.host ?? 'an unnamed host';
  switch (state) {
    case null:
    case 'failed':
      return { rule, value: state ?? 'new', holds: true, otherwise: pass('waiting', '') };
    case 'considering':
    case 'busy':
      return { rule, value: state, holds: false, otherwise: pass('running', `${state} on ${by}`) };
    case 'done':
      return { rule, value: state, holds: false, otherwise: pass('finished', `done by ${by}`) };
    case 'abandoned':
      return { rule, value: state, holds: false, otherwise: pass('abandoned', 'abandoned') };
  }
}

function tagChecks(parsed: ParsedRun): Check[] {
  const { tags } = parsed.kind === 'run' ? parsed.run : parsed.malformed;
  const check = (tag: string, verdict: 'held' | 'abandoned'): Check => ({
    rule: `not tagged ${tag}`,
    value: tags.includes(tag) ? 'tagged' : 'not tagged',
    holds: !tags.includes(tag),
    otherwise: pass(verdict, `tagged ${tag}`),
  });
  return [check(ABANDON_TAG, 'abandoned'), check(HOLD_TAG, 'held')];
}

function retryChecks(
  parsed: ParsedRun,
  bootstrax: BootstraxFields,
  rules: Rules,
  now: Date,
): Check[] {
  const { failures, nextRetry } = bootstrax;
  const setAside = parsed.kind === 'malformed' || bootstrax.outcome === 'set_aside';
  const checks: Check[] = [
    {
      rule: `fewer than ${counted(rules.retry.maxFailures, 'failure')}`,
      value: counted(failures, 'failure'),
      holds: failures < rules.retry.maxFailures,
      otherwise: pass('givenUp', `given up after ${counted(failures, 'failure')}`),
    },
    {
      rule: 'a time is set for the next attempt',
      value: nextRetry?.toISOString() ?? 'none',
      holds: nextRetry !== null,
      otherwise: setAside
        ? pass('malformed', 'set aside: a person must correct its document')
        : pass('waiting', 'it failed and no time is set for another attempt'),
    },
  ];
  if (nextRetry === null) return checks;
  const at = nextRetry.toISOString();
  return [
    ...checks,
    {
      rule: 'the time for the next attempt has come',
      value: at,
      holds: nextRetry.getTime() <= now.getTime(),
      otherwise: pass('waiting', `its next attempt is at ${at}`, nextRetry),
    },
  ];
}

function documentCheck(parsed: ParsedRun, host: HostFacts): Check {
  const problems = parsed.kind === 'run' ? [] : parsed.malformed.problems;
  const text = problemsText(problems);
  const why = `its document is malformed: ${text}`;
  return {
    rule: 'the run document is complete',
    value: problems.length === 0 ? `complete${oddText(parsed)}` : text,
    holds: problems.length === 0,
    otherwise: host.accepting.ok ? { kind: 'set_aside', why, problems } : pass('malformed', why),
  };
}

/** The oddities of the document, which stop nothing. */
function oddText(parsed: ParsedRun): string {
  const { oddities } = parsed.kind === 'run' ? parsed.run : parsed.malformed;
  if (oddities.length === 0) return '';
  return `, though ${problemsText(oddities)}`;
}

function hostCheck(host: HostFacts): Check {
  const why = host.accepting.ok ? (host.accepting.assumed ?? 'ready') : host.accepting.reason;
  return {
    rule: `${host.host} takes runs`,
    value: why,
    holds: host.accepting.ok,
    otherwise: pass('waiting', `${host.host} takes no runs: ${why}`),
  };
}

/** For new runs only: every host may retry, as with the reference (section 2.2). */
function roleCheck(
  detectors: readonly string[],
  host: HostFacts,
  fleet: FleetFacts,
  rules: Rules,
): Check {
  const check = (rule: string, value: string, holds: boolean, why: string): Check => ({
    rule,
    value,
    holds,
    otherwise: pass('waiting', why),
  });
  const { mainDetector, backupQueueLength } = rules.claim;
  if (!detectors.includes(mainDetector)) {
    return check(
      `any host takes a run without the detector ${mainDetector}`,
      `no ${mainDetector}`,
      true,
      '',
    );
  }
  switch (host.role) {
    case 'primary':
      return check('a primary host takes any run', 'primary', true, '');
    case 'never':
      return check(
        `this host takes new runs with the detector ${mainDetector}`,
        'never',
        false,
        `${host.host} never takes new runs with the detector ${mainDetector}`,
      );
    case 'backup': {
      const needed = fleet.livePrimaries === 0 || fleet.queueLength > backupQueueLength;
      return check(
        `a backup host helps when no primary host is alive or more than ${counted(backupQueueLength, 'run waits', 'runs wait')}`,
        `${counted(fleet.livePrimaries, 'primary host')}, ${counted(fleet.queueLength, 'run waits', 'runs wait')}`,
        needed,
        `left to the primary hosts: ${counted(fleet.livePrimaries, 'primary host is', 'primary hosts are')} alive and ${counted(fleet.queueLength, 'run waits', 'runs wait')}`,
      );
    }
  }
}
