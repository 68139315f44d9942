import type { FleetHost } from './fleet-order.pure.ts';
import { utcToTheSecond } from '../infra/values/utc.pure.ts';

/**
 * While the worker of a host warms up, what the host takes only waits there: it leaves runs to a primary
 * host that could begin them now. Such a host takes every run, so none is left to nobody.
 */
export function warmHostBeside(
  self: string,
  hosts: readonly Pick<FleetHost, 'host' | 'role' | 'free'>[],
): string | null {
  const warm = hosts.find(({ host, role, free }) => host !== self && role === 'primary' && free);
  return warm?.host ?? null;
}

/** Why a host takes no run now; `warm`: the other one. */
export function leftToWarmText(warm: string): string {
  return `its worker still warms up, and ${warm} has a warm one and a free place`;
}

/** What a claimed run waits for, as its document says; `since` by the server's clock. */
export function workerWaitText(since: Date): string {
  return `the worker to warm up, since ${utcToTheSecond(since)} UTC`;
}
