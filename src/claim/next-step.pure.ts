import type { HostView } from '../host/host-document.pure.ts';
import type { Rules } from '../infra/config/rules.pure.ts';
import { counted } from '../infra/values/counted.pure.ts';
import type { BootstraxFields } from '../run/run.pure.ts';
import { ABANDON_TAG } from '../run/run-tags.pure.ts';
import type { ClaimDecision, HostFacts, Verdict } from './claim.pure.ts';
import { slotsNow } from './slots.pure.ts';

/** What happens to a run next. It promises only what a host that is alive can do. */
export interface NextStep {
  what: string;
  /** ISO 8601, UTC; null if no time can be promised. Never in the past. */
  at: string | null;
  who: string | null;
}

/** The fleet as it is known now. */
export interface FleetNow {
  /** All hosts that have ever sent a heartbeat, silent ones too. */
  hosts: readonly HostView[];
  /** Number of new runs, which are claimed before any retry. */
  waiting: number;
}

export interface Circumstances {
  bootstrax: BootstraxFields;
  tags: readonly string[];
  /** The host for which the run is explained. */
  host: HostFacts;
  rules: Rules;
  now: Date;
  fleetNow: FleetNow;
}

/** The next step; null: nothing happens until a person acts. */
export function nextStep(
  verdict: Verdict,
  decision: ClaimDecision,
  circumstances: Circumstances,
): NextStep | null {
  const { bootstrax, tags, host, rules, fleetNow } = circumstances;
  const tagged = tags.includes(ABANDON_TAG);
  switch (verdict) {
    case 'eligible':
      return isAlive(fleetNow, host.host)
        ? { what: 'it is claimed when a slot is free', at: null, who: host.host }
        : byNobody('it is claimed', fleetNow);
    case 'waiting':
      return waitingStep(decision, circumstances);
    case 'running':
      return runningStep(circumstances);
    case 'malformed':
      return decision.kind === 'set_aside'
        ? byAnyHost('it is set aside until its document is corrected', host.host, fleetNow)
        : null;
    case 'finished':
      return tagged
        ? byAnyHost(
            `it is abandoned, if it began less than ${rules.limits.abandonDoneSeconds / 3600} h ago`,
            'any host',
            fleetNow,
          )
        : null;
    case 'abandoned':
      return tagged && bootstrax.state !== 'abandoned'
        ? byAnyHost('its state becomes abandoned', 'any host', fleetNow)
        : null;
    case 'held':
    case 'givenUp':
      return null;
  }
}

function living({ hosts }: FleetNow): FleetNow['hosts'] {
  return hosts.filter(({ state }) => state !== 'dead');
}

function isAlive(fleetNow: FleetNow, host: string): boolean {
  return living(fleetNow).some((each) => each.host === host);
}

/** Says which manager sent the last heartbeat, for a fleet in which none is alive. */
export function lastHeard({ hosts }: FleetNow): string {
  const [last] = [...hosts].sort((a, b) => a.ageSeconds - b.ageSeconds);
  return last === undefined
    ? 'no manager has ever sent a heartbeat'
    : `no manager is alive; the last heartbeat came from ${last.host} ${ageText(last.ageSeconds)} ago`;
}

function ageText(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 2 * 3600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h`;
  return counted(Math.round(seconds / 86_400), 'day');
}

function byNobody(what: string, fleetNow: FleetNow): NextStep {
  return {
    what: `once a manager is started, ${what} (${lastHeard(fleetNow)})`,
    at: null,
    who: null,
  };
}

function byAnyHost(what: string, who: string, fleetNow: FleetNow): NextStep {
  return living(fleetNow).length === 0 ? byNobody(what, fleetNow) : { what, at: null, who };
}

function waitingStep(
  decision: ClaimDecision,
  { bootstrax, host, fleetNow }: Circumstances,
): NextStep | null {
  const live = living(fleetNow);
  if (decision.kind === 'pass' && decision.until !== null) {
    const at = decision.until.toISOString();
    if (live.length === 0) return byNobody(`it is tried again, not before ${at}`, fleetNow);
    const slots = slotsNow(fleetNow.hosts, fleetNow.waiting);
    const who = 'the first host with a free slot';
    if (slots.kind === 'free') return { what: 'it is tried again', at, who };
    const first = slots.kind === 'full' ? 'a slot is free' : 'a host takes runs';
    // New runs go first.
    return { what: `it is tried again when ${first}, not before ${at}`, at: null, who };
  }
  // Failed without a time for another attempt: only a person brings it back.
  if (bootstrax.state === 'failed' && bootstrax.nextRetry === null) return null;
  if (live.length === 0) return byNobody('it is claimed', fleetNow);
  const takers = live.filter(({ accepting, host: name }) => accepting && name !== host.host);
  if (!host.accepting.ok) {
    const who =
      takers.length > 0
        ? `another host, or ${host.host} once it takes runs`
        : 'the first host that does';
    return {
      what:
        takers.length > 0 ? 'it is claimed' : 'it is claimed when a host takes runs: none does now',
      at: null,
      who,
    };
  }
  const primaryTakes = takers.some(({ role }) => role === null || role === 'primary');
  return primaryTakes
    ? { what: 'it is claimed', at: null, who: 'a primary host' }
    : { what: 'it is claimed when a primary host takes runs: none does now', at: null, who: null };
}

/** When a run in work ends is not known; but it is known when another host may take it over. */
function runningStep({ bootstrax, rules, now, fleetNow }: Circumstances): NextStep {
  const { state, host, time } = bootstrax;
  const leaseSeconds =
    state === 'busy' ? rules.limits.busyLeaseSeconds : rules.limits.consideringLeaseSeconds;
  const live = living(fleetNow);
  const others = live.filter((each) => each.host !== host);
  const holder = host ?? 'its host';
  const lapses = time === null ? null : new Date(time.getTime() + leaseSeconds * 1000);
  if (lapses !== null && lapses.getTime() > now.getTime()) {
    if (bootstrax.waitsFor !== undefined) {
      const what = `it waits for ${bootstrax.waitsFor}; then it is processed`;
      return { what, at: null, who: host };
    }
    if (others.length > 0) {
      const what = `${holder} concludes it; if ${holder} stays silent until this time, another host takes it over`;
      return { what, at: lapses.toISOString(), who: host };
    }
    const what = `${holder} concludes it; if ${holder} stays silent, no host takes it over: no other manager is alive`;
    return { what, at: null, who: host };
  }
  const silent =
    time === null
      ? `${holder} has sent no heartbeat of it`
      : `${holder} has sent no heartbeat of it for ${ageText((now.getTime() - time.getTime()) / 1000)}`;
  if (live.length === 0) return byNobody(`it is taken over, since ${silent}`, fleetNow);
  return {
    what: `${silent}: it is taken over once a host has seen no heartbeat for ${leaseSeconds} s`,
    at: null,
    who: others.length > 0 ? 'another host' : (live[0]?.host ?? null),
  };
}
