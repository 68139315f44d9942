import {
  type AppliedRule,
  type Circumstances,
  type ClaimDecision,
  evaluateClaim,
  type HostFacts,
  type Verdict,
} from '../claim/claim.pure.ts';
import { type FleetNow, type NextStep, nextStep } from '../claim/next-step.pure.ts';
import type { BootstraxFields, ParsedRun } from '../run/run.pure.ts';

export interface Explanation {
  run: number | null;
  state: string | null;
  verdict: Verdict;
  rules: AppliedRule[];
  next: NextStep | null;
  /** Commands that may help. */
  commands: string[];
}

/** The verdict of one host on a run, and what comes next as far as the fleet is known. */
export function explain(
  parsed: ParsedRun,
  host: HostFacts,
  circumstances: Circumstances,
  fleetNow: FleetNow,
): Explanation {
  const { number, bootstrax, tags } = parsed.kind === 'run' ? parsed.run : parsed.malformed;
  const evaluation = evaluateClaim(parsed, host, circumstances);
  const verdict = verdictOf(evaluation.decision);
  return {
    run: number,
    state: bootstrax.state,
    verdict,
    rules: evaluation.rules,
    next: nextStep(verdict, evaluation.decision, {
      ...{ bootstrax, tags, host, rules: circumstances.rules, now: circumstances.now, fleetNow },
    }),
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
      return [
        command(`logs ${number}`),
        command(`reprocess ${number}`),
        command(`abandon ${number}`),
      ];
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
