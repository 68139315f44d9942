import type { Settings } from '../config/entries.ts';
import type { HostFacts } from '../domain/claim.ts';
import { hostView, type HostView } from '../domain/host-view.ts';
import type { Store } from '../store/types.ts';

/** All hosts that ever wrote a document, by name. */
export async function hostViews(store: Store, settings: Settings, now: Date): Promise<HostView[]> {
  const { presumedDeadSeconds } = settings.rules.limits;
  const documents = await store.hosts.all();
  return documents
    .map((document) => hostView(document, now, presumedDeadSeconds))
    .sort((a, b) => a.host.localeCompare(b.host));
}

/**
 * This host for the decisions. Whether it takes runs is what its manager says; a host without a
 * manager is looked at as if it had one, since the question is what would happen to the run.
 */
export function hostFacts(settings: Settings, views: readonly HostView[]): HostFacts {
  const { name, role } = settings.host;
  const own = views.find((view) => view.host === name && view.state !== 'dead');
  const accepting: HostFacts['accepting'] =
    own === undefined || own.accepting || own.whyNot === null
      ? { ok: true }
      : { ok: false, reason: own.whyNot };
  return { host: name, role, accepting };
}
