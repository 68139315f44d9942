import type { HostView } from './host-view.ts';

/**
 * Whether a run that is due finds a place. `free`: at a host that has had one since then, as far as it
 * is known; `full`: hosts take runs, and all their places are taken; `none`: no host takes any.
 */
export type Places = { kind: 'free'; since: Date | null } | { kind: 'full' } | { kind: 'none' };

type Seats = Pick<HostView, 'accepting' | 'runs' | 'slots' | 'freeSince'>;

/** Over all hosts; one whose release does not say how many runs it takes at a time takes one. */
export function placesOf(hosts: readonly Seats[]): Places {
  const accepting = hosts.filter((host) => host.accepting);
  if (accepting.length === 0) return { kind: 'none' };
  const free = accepting.filter(({ runs, slots }) => runs.length < (slots ?? 1));
  if (free.length === 0) return { kind: 'full' };
  const since = free.flatMap(({ freeSince }) =>
    freeSince === null ? [] : [Date.parse(freeSince)],
  );
  return { kind: 'free', since: since.length === 0 ? null : new Date(Math.min(...since)) };
}
