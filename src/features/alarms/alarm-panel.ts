import type { Store } from '../../ports/store.ts';
import type { AlarmsPanel, AlarmView } from '../../readmodel/api.ts';
import type { Destination } from './alarm.port.ts';
import type { StoredAlarm } from './alarm.pure.ts';

const RECENT_HOURS = 24;
const MOST_RECENT = 20;

/** The panel of alarms, maintenance and receivers. */
export async function readAlarms(
  { alarms, maintenance }: Pick<Store, 'alarms' | 'maintenance'>,
  destinations: readonly Destination[],
  now: Date,
): Promise<AlarmsPanel> {
  const since = new Date(now.getTime() - RECENT_HOURS * 3_600_000);
  const [open, over, records, windows] = await Promise.all([
    alarms.open(),
    alarms.overSince(since, MOST_RECENT),
    alarms.receivers(),
    maintenance.endingAfter(now),
  ]);
  return {
    open: open.sort((a, b) => b.opened.getTime() - a.opened.getTime()).map(viewOf),
    recent: over.map(viewOf),
    receivers: destinations.map((destination) => {
      const record = records.find((each) => each.destination === destination);
      return {
        destination,
        sent: isoOf(record?.sent),
        failingSince: isoOf(record?.failingSince),
        problem: record?.problem ?? null,
        next: isoOf(record?.next),
      };
    }),
    maintenance: windows.map(({ id, host, from, until, by, reason }) => ({
      ...{ id, host, by, reason },
      from: from.toISOString(),
      until: until.toISOString(),
    })),
  };
}

function viewOf(alarm: StoredAlarm): AlarmView {
  const { key, kind, run, host, what, todo, opened, over, told, episode } = alarm;
  return {
    ...{ key, kind, run, host, what, todo },
    opened: opened.toISOString(),
    over: isoOf(over),
    told: Object.entries(told).flatMap(([receiver, last]) =>
      last.episode === episode ? [{ receiver, said: last.said, at: last.at.toISOString() }] : [],
    ),
  };
}

function isoOf(date: Date | null | undefined): string | null {
  return date?.toISOString() ?? null;
}
