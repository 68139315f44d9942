import type { HostView } from '../host/host-document.pure.ts';

/**
 * Whether a run that is due finds a slot. `free`: a host has a free slot, since this time if known;
 * `full`: hosts take runs, but all their slots are taken; `none`: no host takes runs.
 */
export type SlotsNow = { kind: 'free'; since: Date | null } | { kind: 'full' } | { kind: 'none' };

type HostSlots = Pick<HostView, 'accepting' | 'runs' | 'slots' | 'freeSince'>;

/** Free slots of one host; a host whose release does not write its number of slots has one. */
const freeAt = ({ accepting, runs, slots }: HostSlots): number =>
  accepting ? Math.max(0, (slots ?? 1) - runs.length) : 0;

/** How many runs could begin now. */
export function freeSlots(hosts: readonly HostSlots[]): number {
  return hosts.reduce((sum, host) => sum + freeAt(host), 0);
}

/** Free slots of all hosts together. `waiting`: number of new runs, which go before any retry. */
export function slotsNow(hosts: readonly HostSlots[], waiting = 0): SlotsNow {
  if (!hosts.some(({ accepting }) => accepting)) return { kind: 'none' };
  if (freeSlots(hosts) <= waiting) return { kind: 'full' };
  const free = hosts.filter((host) => freeAt(host) > 0);
  const since = free.flatMap(({ freeSince }) =>
    freeSince === null ? [] : [Date.parse(freeSince)],
  );
  return { kind: 'free', since: since.length === 0 ? null : new Date(Math.min(...since)) };
}
