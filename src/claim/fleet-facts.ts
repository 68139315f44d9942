import type { HostView } from '../host/host-document.pure.ts';
import type { HostRole } from '../infra/config/host-role.pure.ts';
import type { Rules } from '../infra/config/rules.pure.ts';
import type { Store } from '../ports/store.ts';
import type { FleetFacts } from './claim.pure.ts';
import type { FleetNow } from './next-step.pure.ts';
import { freeSlots } from './slots.pure.ts';

/** Queue and primary hosts, read only for a backup host: the decision of others does not need them. */
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
  // The reference counts held runs as well.
  return { queueLength: counts.new + counts.held, livePrimaries: alive.length };
}

/** The fleet for `explain`: its hosts, and how many new runs would take their free slots first. */
export async function fleetNowOf(
  { runs }: Pick<Store, 'runs'>,
  hosts: readonly HostView[],
): Promise<FleetNow> {
  const limit = freeSlots(hosts);
  const waiting = limit === 0 ? 0 : (await runs.newCandidates({ limit })).length;
  return { hosts, waiting };
}

/** The role with which to read `fleetFacts` for all these hosts: backup if any of them is one. */
export function roleAsked(hosts: readonly { role: string | null }[]): 'backup' | 'primary' {
  return hosts.some(({ role }) => role === 'backup') ? 'backup' : 'primary';
}
