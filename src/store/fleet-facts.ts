import type { FleetFacts, HostRole } from '../domain/claim.ts';
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
