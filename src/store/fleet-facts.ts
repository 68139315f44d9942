import type { FleetFacts, HostRole } from '../domain/claim.ts';
import { freePlaces, placesOf, type Places } from '../domain/places.ts';
import type { Rules } from '../domain/rules.ts';
import type { Store } from './types.ts';

/** What the fleet looks like; only backup hosts need to ask. */
export async function fleetFacts(
  env: {
    store: Pick<Store, 'runs' | 'ebMonitor'>;
    rules: Rules;
    role: HostRole;
    primaries: readonly string[];
  },
  now: Date,
): Promise<FleetFacts> {
  if (env.role === 'primary') return { queueLength: 0, livePrimaries: 1 };
  const [counts, alive] = await Promise.all([
    env.store.runs.queueCounts(now, env.rules.retry.maxFailures),
    env.store.ebMonitor.alive(env.primaries, env.rules.limits.presumedDeadSeconds),
  ]);
  return { queueLength: counts.new, livePrimaries: alive.length };
}

/** Whether a run that falls due would find a place that no new run takes before it. */
export async function placesNow(
  { runs }: Pick<Store, 'runs'>,
  hosts: Parameters<typeof placesOf>[0],
): Promise<Places> {
  const limit = freePlaces(hosts);
  const waiting = limit === 0 ? 0 : (await runs.newCandidates({ limit })).length;
  return placesOf(hosts, waiting);
}
