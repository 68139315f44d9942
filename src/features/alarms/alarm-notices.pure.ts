import type { Maintenance, Receiver, StoredAlarm } from './alarm.pure.ts';

/** What one receiver is to be told. */
export interface Notices {
  raised: StoredAlarm[];
  cleared: StoredAlarm[];
}

/**
 * What a receiver does not know yet. In a maintenance window nothing; afterwards what is still so
 * then. An alarm that was over before the receiver could be told of it is not told.
 */
export function noticesFor(
  receiver: Receiver,
  alarms: readonly StoredAlarm[],
  windows: readonly Maintenance[],
  now: Date,
): Notices {
  const heard = alarms.filter((alarm) => !isQuiet(alarm, windows, now));
  const knows = ({ told, episode }: StoredAlarm) => {
    const last = told[receiver];
    return last?.episode === episode ? last.said : null;
  };
  return {
    raised: heard.filter((alarm) => alarm.open && knows(alarm) === null),
    cleared: heard.filter((alarm) => !alarm.open && knows(alarm) === 'raised'),
  };
}

/** Is there a maintenance window over this alarm? */
export function isQuiet(
  alarm: { host: string | null },
  windows: readonly Maintenance[],
  now: Date,
): boolean {
  return windows.some(
    ({ host, from, until }) => from <= now && until > now && (host === null || host === alarm.host),
  );
}

/** The same for the same message, however often it is sent: a receiver can tell a repetition. */
export function noticeId({ key, episode }: StoredAlarm, said: 'raised' | 'cleared'): string {
  return `${key}/${episode}/${said}`;
}

/** How long a receiver that has failed so often in a row is left alone, seconds. */
export function waitSeconds(failures: number, firstSeconds: number, mostSeconds: number): number {
  return Math.min(mostSeconds, firstSeconds * 2 ** Math.max(0, failures - 1));
}
