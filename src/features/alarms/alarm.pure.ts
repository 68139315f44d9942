/** What an alarm is about; few, so that each is looked at. */
export const ALARM_KINDS = [
  'given_up',
  'not_handed_on',
  'promise_missed',
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
  host_silent: 'host silent',
  output_disk: 'output disk',
  live_disk: 'live-data disk',
  nothing_processed: 'nothing processed',
};

/** Something that a person who is not looking must be told. */
export interface Alarm {
  /** The same for the same thing, whoever finds it: `given_up:1234`. */
  key: string;
  kind: AlarmKind;
  run: number | null;
  host: string | null;
  /** One sentence. */
  what: string;
  /** What a person can do. */
  todo: string;
  /** Since when it is so, if known. */
  since: Date | null;
}

/** Where messages go. */
export const RECEIVERS = ['webhook', 'mail'] as const;
export type Receiver = (typeof RECEIVERS)[number];

/** What a receiver was told last about an alarm. */
export interface Told {
  /** Of which occurrence. */
  episode: number;
  said: 'raised' | 'cleared';
  at: Date;
}

/** An alarm as it is kept: the last occurrence of it. */
export interface StoredAlarm extends Alarm {
  open: boolean;
  /** Counts the occurrences, from 1. */
  episode: number;
  opened: Date;
  /** Null while it is open. */
  over: Date | null;
  told: Partial<Record<Receiver, Told>>;
}

/** A span of time in which nobody is told. */
export interface Maintenance {
  id: string;
  /** Null: of the whole fleet; else only what is about this host. */
  host: string | null;
  from: Date;
  until: Date;
  by: string;
  reason: string;
  /** Who ended it before its time. */
  endedBy: string | null;
}
