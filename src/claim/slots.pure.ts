import type { HostView } from '../host/host-document.pure.ts';

/**
 * Whether a run that is due finds a place. `free`: at a host that has had one since then, as far as it
 * is known; `full`: hosts take runs, and all their places are taken; `none`: no host takes any.
 */
export type SlotsNow = { kind: 'free'; since: Date | null } | { kind: 'full' } | { kind: 'none' };

type HostSlots = Pick<HostView, 'accepting' | 'runs' | 'slots' | 'freeSince'>;

/** At one host; one whose release does not say how many runs it takes at a time takes one. */
const freeAt = ({ accepting, runs, slots }: HostSlots): number =>
  accepting ? Math.max(0, (slots ?? 1) - runs.length) : 0;

/** How many runs could begin now. */
export function freeSlots(hosts: readonly HostSlots[]): number {
  return hosts.reduce((sum, host) => sum + freeAt(host), 0);
}

/** Over all hosts. `waiting`: so many new runs go before any retry. */
export function slotsNow(hosts: readonly HostSlots[], waiting = 0): SlotsNow {
  if (!hosts.some(({ accepting }) => accepting)) return { kind: 'none' };
  if (freeSlots(hosts) <= waiting) return { kind: 'full' };
  const free = hosts.filter((host) => freeAt(host) > 0);
  const since = free.flatMap(({ freeSince }) =>
    freeSince === null ? [] : [Date.parse(freeSince)],
  );
  return { kind: 'free', since: since.length === 0 ? null : new Date(Math.min(...since)) };
}
