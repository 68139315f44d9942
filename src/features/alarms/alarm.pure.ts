/** The kinds of alarms; they are few, so that people read each. */
export const ALARM_KINDS = [
  'given_up',
  'not_handed_on',
  'promise_missed',
  'run_stalled',
  'host_silent',
  'output_disk',
  'live_disk',
  'nothing_processed',
] as const;
export type AlarmKind = (typeof ALARM_KINDS)[number];

export const ALARM_WORDS: Readonly<Record<AlarmKind, string>> = {
  given_up: 'run given up',
  not_handed_on: 'run not handed on',
  promise_missed: 'promise missed',
  run_stalled: 'run stalled',
  host_silent: 'host silent',
  output_disk: 'output disk',
  live_disk: 'live-data disk',
  nothing_processed: 'nothing processed',
};

/** A problem of which people must be notified. */
export interface Alarm {
  /** The same text for the same problem, whichever process finds it: `given_up:1234`. */
  key: string;
  kind: AlarmKind;
  run: number | null;
  host: string | null;
  /** One sentence. */
  what: string;
  /** What a person can do. */
  todo: string;
  /** When it began, if known. */
  since: Date | null;
}

/** Where messages go. */
export const RECEIVERS = ['webhook', 'mail'] as const;
export type Receiver = (typeof RECEIVERS)[number];

/** The last message to a receiver about an alarm. */
export interface Told {
  /** The occurrence that the message was about. */
  episode: number;
  said: 'raised' | 'cleared';
  at: Date;
}

/** An alarm as it is stored: its last occurrence. */
export interface StoredAlarm extends Alarm {
  open: boolean;
  /** Counts the occurrences, from 1. */
  episode: number;
  opened: Date;
  /** Null while it is open. */
  over: Date | null;
  told: Partial<Record<Receiver, Told>>;
}

/** A time span in which no alarm is sent. */
export interface Maintenance {
  id: string;
  /** Null: for the whole fleet; else only for alarms about this host. */
  host: string | null;
  from: Date;
  until: Date;
  by: string;
  reason: string;
  /** Who has ended it early. */
  endedBy: string | null;
}
