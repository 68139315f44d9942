import type { Maintenance, Receiver, StoredAlarm } from './alarm.pure.ts';

/** The alarms that one message names. */
export interface Notices {
  raised: StoredAlarm[];
  cleared: StoredAlarm[];
}

/**
 * What has to be sent to a receiver. During maintenance nothing is; afterwards the alarms that are still
 * open. An alarm that ended before its first message is never sent.
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

/** Whether maintenance covers this alarm. */
export function isQuiet(
  alarm: { host: string | null },
  windows: readonly Maintenance[],
  now: Date,
): boolean {
  return windows.some(
    ({ host, from, until }) => from <= now && until > now && (host === null || host === alarm.host),
  );
}

/** Id of a message, the same for each repetition, so that a receiver can recognise one. */
export function noticeId({ key, episode }: StoredAlarm, said: 'raised' | 'cleared'): string {
  return `${key}/${episode}/${said}`;
}

/** Wait before the next try after failures in a row. */
export function waitSeconds(failures: number, firstSeconds: number, mostSeconds: number): number {
  return Math.min(mostSeconds, firstSeconds * 2 ** Math.max(0, failures - 1));
}
