import type { HostFacts } from '../../claim/claim.pure.ts';
import type { FleetNow } from '../../claim/next-step.pure.ts';
import type { HostView } from '../../host/host-document.pure.ts';
import { systemClock } from '../../infra/clock/clock.ts';
import type { Settings } from '../../infra/config/entries.ts';
import type { Store } from '../../ports/store.ts';
import { absent, factsOf } from '../../readmodel/explain-fleet.pure.ts';

/** All hosts that ever wrote a document, by name, as the dashboard reads them. */
export async function hostViews(
  store: Pick<Store, 'runs' | 'hosts' | 'overview' | 'actions'>,
  settings: Settings,
  now: Date,
): Promise<HostView[]> {
  const { HostReader } = await import('../../readmodel/readings.ts');
  return (await new HostReader(systemClock).read(store, settings.rules, now)).views;
}

/**
 * This host for the decisions. Its manager says whether it takes runs. A host without a manager is
 * treated as if it had one, and the answer says so.
 */
export function hostFacts(settings: Settings, fleetNow: FleetNow): HostFacts {
  const { name, role } = settings.host;
  const own = fleetNow.hosts.find((view) => view.host === name && view.state !== 'dead');
  return own === undefined
    ? absent({ host: name, role }, fleetNow)
    : { ...factsOf(own, fleetNow.hosts), role };
}
