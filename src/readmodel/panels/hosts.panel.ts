import type { HostCard } from '../hosts.pure.ts';
import type { PanelReader } from './panel-reader.ts';

/** All hosts. */
export const hostsPanel: PanelReader<{ hosts: HostCard[] }> = {
  staleAfterSeconds: { hosts: 20 },
  everyMs: 1000,
  showsRuns: false,
  read: async ({ fleet, store, rules, now }) => ({ hosts: await fleet.read(store, rules, now) }),
};
