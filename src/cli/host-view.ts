import type { Settings } from '../config/entries.ts';
import type { HostFacts } from '../domain/claim.ts';
import type { HostView } from '../domain/host-view.ts';
import type { FleetNow } from '../domain/next-step.ts';
import { absent, factsOf } from '../domain/overview/explain-fleet.ts';
import type { Store } from '../store/types.ts';

/** All hosts that ever wrote a document, by name, as the dashboard reads them. */
export async function hostViews(
  store: Pick<Store, 'runs' | 'hosts' | 'overview' | 'actions'>,
  settings: Settings,
  now: Date,
): Promise<HostView[]> {
  const { HostReader } = await import('../dashboard/readings.ts');
  return (await new HostReader().read(store, settings.rules, now)).views;
}

/**
 * This host for the decisions. Whether it takes runs is what its manager says; without a manager it is
 * looked at as if it had one, and that is said.
 */
export function hostFacts(settings: Settings, fleetNow: FleetNow): HostFacts {
  const { name, role } = settings.host;
  const own = fleetNow.hosts.find((view) => view.host === name && view.state !== 'dead');
  return own === undefined
    ? absent({ host: name, role }, fleetNow)
    : { ...factsOf(own, fleetNow.hosts), role };
}
