import type { Circumstances, HostFacts } from '../claim/claim.pure.ts';
import type { FleetHost } from '../claim/fleet-order.pure.ts';
import { type FleetNow, lastHeard, type NextStep } from '../claim/next-step.pure.ts';
import { freeSlots } from '../claim/slots.pure.ts';
import { leftToWarmText, warmHostBeside } from '../claim/warm-host.pure.ts';
import type { HostView } from '../host/host-document.pure.ts';
import { counted } from '../infra/values/counted.pure.ts';
import type { ParsedRun } from '../run/run.pure.ts';
import { explain, type Explanation } from './explain.pure.ts';

/** The verdict of one host on a run. */
export interface HostOpinion {
  host: string;
  verdict: Explanation['verdict'];
  /** The first rule that does not hold; null if all hold. */
  obstacle: string | null;
}

export interface FleetExplanation extends Explanation {
  /** The host whose view is shown: one that would take the run, else its holder, else any. */
  seenFrom: string;
  /** Every host that is not silent. */
  hosts: HostOpinion[];
}

/**
 * Why a run is, or is not, being processed, for command, page and report alike. It is decided for each
 * live host; the answer is that of the host that matters most. If no host lives, it is the answer that
 * `home` would give if its manager ran, and says so.
 */
export function explainFleet(
  parsed: ParsedRun,
  fleetNow: FleetNow,
  circumstances: Circumstances,
  home: Pick<HostFacts, 'host' | 'role'> = { host: 'any host', role: 'primary' },
): FleetExplanation {
  const live = fleetNow.hosts.filter(({ state }) => state !== 'dead');
  const views =
    live.length === 0 ? [absent(home, fleetNow)] : live.map((view) => factsOf(view, live));
  const opinions = views.map((host) => ({
    host: host.host,
    explanation: explain(parsed, host, circumstances, fleetNow),
  }));
  const holder = (parsed.kind === 'run' ? parsed.run : parsed.malformed).bootstrax.host;
  const takers = opinions.filter(({ explanation }) => explanation.verdict === 'eligible');
  const telling = takers[0] ?? opinions.find(({ host }) => host === holder) ?? opinions[0]!;
  return {
    ...telling.explanation,
    next: byAll(
      telling.explanation.next,
      takers.map(({ host }) => host),
    ),
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

/** Names of the hosts, if they are few enough to be read. */
const MOST_NAMED = 3;

function byAll(next: NextStep | null, takers: readonly string[]): NextStep | null {
  if (next === null || takers.length < 2) return next;
  const who =
    takers.length > MOST_NAMED
      ? `the first of ${counted(takers.length, 'host')}`
      : `the first of ${takers.join(', ')}`;
  return { ...next, who };
}

/** A host as if its manager ran, for a fleet in which none does. */
export function absent(
  { host, role }: Pick<HostFacts, 'host' | 'role'>,
  fleetNow: FleetNow,
): HostFacts {
  return { host, role, accepting: { ok: true, assumed: `as if it ran: ${lastHeard(fleetNow)}` } };
}

/** The facts about a host on which it decides, with the other live hosts. */
export function factsOf(view: HostView, hosts: readonly HostView[]): HostFacts {
  const { host, role } = view;
  return {
    host,
    role: role === 'backup' || role === 'never' ? role : 'primary',
    accepting: acceptingOf(view, hosts),
  };
}

function acceptingOf(
  { host, accepting, whyNot, workerReady }: HostView,
  hosts: readonly HostView[],
): HostFacts['accepting'] {
  if (!accepting && whyNot !== null) return { ok: false, reason: whyNot };
  const warm = workerReady ? null : warmHostBeside(host, hosts.map(seatOf));
  return warm === null ? { ok: true } : { ok: false, reason: leftToWarmText(warm) };
}

function seatOf(view: HostView): Pick<FleetHost, 'host' | 'role' | 'free'> {
  const { host, role, workerReady } = view;
  const free = workerReady && freeSlots([view]) > 0;
  return { host, role: role === 'primary' ? role : 'backup', free };
}
