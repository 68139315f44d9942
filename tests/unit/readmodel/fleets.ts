import type { FleetNow } from '../../../src/claim/next-step.pure.ts';
import { type HostView, hostView } from '../../../src/host/host-document.pure.ts';
import { NOW } from '../run/documents.ts';

/** How long a host may be silent before it counts as dead, seconds. */
export const DEAD_AFTER_SECONDS = 120;

/** A host that is alive and takes runs, unless something else is said of it. */
export function hostNow(
  host: string,
  { ageSeconds = 5, ...extras }: { ageSeconds?: number } & Record<string, unknown> = {},
): HostView {
  const time = new Date(NOW.getTime() - ageSeconds * 1000);
  const said = { accepting: true, why_not: null, slots: 1, runs: [], role: 'primary', ...extras };
  return hostView({ host, state: 'idle', time, extras: said }, NOW, DEAD_AFTER_SECONDS);
}

export function fleetOf(...hosts: HostView[]): FleetNow {
  return { hosts, waiting: 0 };
}
