import type { Alarm, StoredAlarm } from './alarm.pure.ts';

/** Since when a problem is seen, or is gone, without a break, in monotonic seconds by its key. */
export interface Sightings {
  seen: ReadonlyMap<string, number>;
  gone: ReadonlyMap<string, number>;
}

export const NOTHING_SEEN: Sightings = { seen: new Map(), gone: new Map() };

export interface Course {
  raise: Alarm[];
  clear: StoredAlarm[];
  sightings: Sightings;
}

/**
 * Which alarms begin and which end. Both need `holdSeconds` without a break: after an outage all hosts
 * seem silent until their next heartbeat, and a forecast may waver.
 */
export function course(
  alarms: readonly Alarm[],
  open: readonly StoredAlarm[],
  before: Sightings,
  { holdSeconds, atSeconds }: { holdSeconds: number; atSeconds: number },
): Course {
  const openKeys = new Set(open.map(({ key }) => key));
  const present = new Set(alarms.map(({ key }) => key));
  const fresh = alarms.filter(({ key }) => !openKeys.has(key));
  const vanished = open.filter(({ key }) => !present.has(key));
  const seen = new Map(fresh.map(({ key }) => [key, before.seen.get(key) ?? atSeconds]));
  const gone = new Map(vanished.map(({ key }) => [key, before.gone.get(key) ?? atSeconds]));
  const held = (since: number | undefined) => atSeconds - (since ?? atSeconds) >= holdSeconds;
  return {
    raise: fresh.filter(({ key }) => held(seen.get(key))),
    clear: vanished.filter(({ key }) => held(gone.get(key))),
    sightings: { seen, gone },
  };
}
