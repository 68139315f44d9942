import {
  evaluateClaim,
  type AppliedRule,
  type ClaimDecision,
  type FleetFacts,
  type HostFacts,
  type Verdict,
} from './claim.ts';
import type { Places } from './places.ts';
import type { Rules } from './rules.ts';
import type { BootstraxFields, ParsedRun } from './run.ts';

export interface NextStep {
  what: string;
  /** ISO 8601, UTC; null where no time is set. */
  at: string | null;
  who: string | null;
}

export interface Explanation {
  run: number | null;
  state: string | null;
  verdict: Verdict;
  rules: AppliedRule[];
  next: NextStep | null;
  /** What an operator may want to do about it. */
  commands: string[];
}

/**
 * The contract's object of `bootstrax explain N --json`, as seen from one host. Where all `places` of
 * the fleet are taken no time is named: nobody could promise it.
 */
export function explain(
  parsed: ParsedRun,
  host: HostFacts,
  fleet: FleetFacts,
  rules: Rules,
  now: Date,
  places: Places,
): Explanation {
  const { number, bootstrax, tags } = parsed.kind === 'run' ? parsed.run : parsed.malformed;
  const evaluation = evaluateClaim(parsed, host, fleet, rules, now);
  const verdict = verdictOf(evaluation.decision);
  return {
    run: number,
    state: bootstrax.state,
    verdict,
    rules: evaluation.rules,
    next: nextStep(verdict, evaluation.decision, { bootstrax, tags, host, rules, places }),
    commands: number === null ? [] : commands(verdict, bootstrax, number),
  };
}

function verdictOf(decision: ClaimDecision): Verdict {
  switch (decision.kind) {
    case 'claim':
      return 'eligible';
    case 'set_aside':
      return 'malformed';
    case 'pass':
      return decision.verdict;
  }
}

interface Circumstances {
  bootstrax: BootstraxFields;
  tags: readonly string[];
  host: HostFacts;
  rules: Rules;
  places: Places;
}

function nextStep(
  verdict: Verdict,
  decision: ClaimDecision,
  circumstances: Circumstances,
): NextStep | null {
  const { bootstrax, tags, host, rules } = circumstances;
  const tagged = tags.includes(rules.claim.abandonTag);
  switch (verdict) {
    case 'eligible':
      return { what: 'it is claimed when a place is free', at: null, who: host.host };
    case 'waiting':
      return waitingStep(decision, circumstances);
    case 'running':
      return runningStep(bootstrax, rules);
    case 'malformed':
      return decision.kind === 'set_aside'
        ? { what: 'it is set aside until its document is mended', at: null, who: host.host }
        : null;
    case 'finished':
      return tagged
        ? {
            what: `it is abandoned, if it began less than ${hours(rules)} h ago`,
            at: null,
            who: 'any host',
          }
        : null;
    case 'abandoned':
      return tagged && bootstrax.state !== 'abandoned'
        ? { what: 'its state becomes abandoned', at: null, who: 'any host' }
        : null;
    case 'held':
    case 'givenUp':
      return null;
  }
}

function hours(rules: Rules): number {
  return rules.limits.abandonDoneSeconds / 3600;
}

function waitingStep(
  decision: ClaimDecision,
  { bootstrax, host, places }: Circumstances,
): NextStep | null {
  if (decision.kind === 'pass' && decision.until !== null) {
    const at = decision.until.toISOString();
    const who = 'the first host with a free place';
    if (places.kind === 'free') return { what: 'it is tried again', at, who };
    const first = places.kind === 'full' ? 'a place is free' : 'a host takes runs';
    // New runs go first.
    return { what: `it is tried again when ${first}, not before ${at}`, at: null, who };
  }
  // Failed without a time for another try: only a person brings it back.
  if (bootstrax.state === 'failed' && bootstrax.nextRetry === null) return null;
  if (!host.accepting.ok) {
    return {
      what: 'it is claimed',
      at: null,
      who: `another host, or ${host.host} once it takes runs`,
    };
  }
  return { what: 'it is claimed', at: null, who: 'a primary host' };
}

/** Nobody knows when it ends; but it is known when its owner's silence frees it. */
function runningStep({ state, host, time }: BootstraxFields, rules: Rules): NextStep {
  const lease =
    state === 'busy' ? rules.limits.busyLeaseSeconds : rules.limits.consideringLeaseSeconds;
  const at = time === null ? null : new Date(time.getTime() + lease * 1000).toISOString();
  return {
    what: 'its host concludes it, or gives a life sign before this time, or else it is taken over',
    at,
    who: host,
  };
}

function commands(verdict: Verdict, bootstrax: BootstraxFields, number: number): string[] {
  const command = (name: string) => `bootstrax ${name}`;
  switch (verdict) {
    case 'eligible':
      return [
        command(`process ${number}`),
        command(`hold ${number}`),
        command(`abandon ${number}`),
      ];
    case 'waiting':
      return [
        ...(bootstrax.state === 'failed' ? [command(`retry ${number}`)] : []),
        command(`process ${number}`),
        command(`hold ${number}`),
        command(`abandon ${number}`),
      ];
    case 'running':
      return [
        command(`logs ${number} --follow`),
        command(`fail ${number}`),
        command(`abandon ${number}`),
      ];
    case 'held':
      return [command(`release ${number}`), command(`abandon ${number}`)];
    case 'finished':
      return [command(`logs ${number}`), command(`abandon ${number}`)];
    case 'givenUp':
      return [
        command(`logs ${number}`),
        command(`retry ${number} --from-start`),
        command(`abandon ${number}`),
      ];
    case 'abandoned':
      return [command(`${bootstrax.state === 'abandoned' ? 'retry' : 'abandon'} ${number}`)];
    case 'malformed':
      return [command(`retry ${number}`), command(`abandon ${number}`)];
  }
}
