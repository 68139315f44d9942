import { utcToTheSecond } from '../infra/values/utc.pure.ts';
import type { FleetHost } from './fleet-order.pure.ts';

/**
 * A primary host with a warm worker and a free slot; null: none. While the worker of a host warms up, a
 * run would only wait there, so the host leaves it to the warm one. A primary host takes every run, so no
 * run is left over.
 */
export function warmHostBeside(
  self: string,
  hosts: readonly Pick<FleetHost, 'host' | 'role' | 'free'>[],
): string | null {
  const warm = hosts.find(({ host, role, free }) => host !== self && role === 'primary' && free);
  return warm?.host ?? null;
}

/** Why a host takes no run now; `warm`: the other host. */
export function leftToWarmText(warm: string): string {
  return `its worker still warms up, and ${warm} has a warm one and a free slot`;
}

/** What a claimed run waits for, for its document; `since` by the server's clock. */
export function workerWaitText(since: Date): string {
  return `the worker to warm up, since ${utcToTheSecond(since)} UTC`;
}
