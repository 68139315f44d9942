import type { FleetFacts, HostFacts } from '../claim.ts';
import { explain, type Explanation } from '../explain.ts';
import type { HostView } from '../host-view.ts';
import type { Places } from '../places.ts';
import type { Rules } from '../rules.ts';
import type { ParsedRun } from '../run.ts';

/** What one host would do with a run. */
export interface HostOpinion {
  host: string;
  verdict: Explanation['verdict'];
  /** The first rule that does not hold; null if all hold. */
  obstacle: string | null;
}

export interface FleetExplanation extends Explanation {
  /** The host from which it is seen: one that would take it, else its own, else any. */
  seenFrom: string;
  /** Every host that gives life signs. */
  hosts: HostOpinion[];
}

/** `explain` for a page that belongs to no host: asked for each live host, told by the telling one. */
export function explainFleet(
  parsed: ParsedRun,
  views: readonly HostView[],
  fleet: FleetFacts,
  rules: Rules,
  now: Date,
  places: Places,
): FleetExplanation {
  const live = views.filter(({ state }) => state !== 'dead');
  const opinions = (live.length === 0 ? [NOBODY] : live.map(factsOf)).map((host) => ({
    host: host.host,
    explanation: explain(parsed, host, fleet, rules, now, places),
  }));
  const owner = (parsed.kind === 'run' ? parsed.run : parsed.malformed).bootstrax.host;
  const telling =
    opinions.find(({ explanation }) => explanation.verdict === 'eligible') ??
    opinions.find(({ host }) => host === owner) ??
    opinions[0]!;
  return {
    ...telling.explanation,
    seenFrom: telling.host,
    hosts:
      live.length === 0
        ? []
        : opinions.map(({ host, explanation }) => {
            const obstacle = explanation.rules.find(({ holds }) => !holds);
            return {
              host,
              verdict: explanation.verdict,
              obstacle: obstacle === undefined ? null : `${obstacle.rule}: ${obstacle.value}`,
            };
          }),
  };
}

const NOBODY: HostFacts = {
  host: 'any host',
  role: 'primary',
  accepting: { ok: false, reason: 'no host gives a life sign' },
};

function factsOf({ host, role, accepting, whyNot }: HostView): HostFacts {
  return {
    host,
    role: role === 'backup' || role === 'never' ? role : 'primary',
    accepting: accepting || whyNot === null ? { ok: true } : { ok: false, reason: whyNot },
  };
}
