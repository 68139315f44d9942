import type { Alarm, Maintenance, Receiver, StoredAlarm } from './alarm.pure.ts';

/** What is sent to: receivers of messages, and the one that is to hear of us at an interval. */
export type Destination = Receiver | 'dead_man';

/** How it goes with a destination. */
export interface ReceiverDocument {
  destination: Destination;
  /** Counts the claims: the compare-and-set looks at it. */
  turn: number;
  /** Who sends there now, and until when nobody else may. */
  claimedBy: string | null;
  claimedUntil: Date | null;
  /** Not before. */
  next: Date | null;
  /** The last one that went well. */
  sent: Date | null;
  /** Failures in a row, since when, and the last reason. */
  failures: number;
  failingSince: Date | null;
  problem: string | null;
}

/** Collection `bootstrax_alarms` of the runs database. Every change is a compare-and-set. */
export interface AlarmStore {
  /** Begins occurrence `after + 1`; false if another process was first. */
  raise(alarm: Alarm, after: number): Promise<boolean>;
  /** Ends this occurrence; false if it is over already. */
  clear(key: string, episode: number): Promise<boolean>;
  /** A receiver has been told of this occurrence. */
  told(alarm: StoredAlarm, receiver: Receiver, said: 'raised' | 'cleared'): Promise<void>;
  open(): Promise<StoredAlarm[]>;
  /** Alarms that are over since a time. */
  overSince(since: Date, limit: number): Promise<StoredAlarm[]>;
  /** Those of these keys that there are. */
  byKeys(keys: readonly string[]): Promise<StoredAlarm[]>;
  receivers(): Promise<ReceiverDocument[]>;
  /** Takes the turn to send, for so long at most; null if another process was first. */
  claim(
    destination: Destination,
    seen: ReceiverDocument | null,
    by: string,
    leaseSeconds: number,
  ): Promise<number | null>;
  /** Gives the turn back; nothing is due before `nextSeconds` from now. */
  release(
    destination: Destination,
    turn: number,
    result:
      | { kind: 'sent' | 'nothing_to_send'; nextSeconds: number }
      | { kind: 'failed'; problem: string; nextSeconds: number },
  ): Promise<void>;
}

/** Collection `bootstrax_maintenance` of the runs database. */
export interface MaintenanceStore {
  start(window: {
    host: string | null;
    seconds: number;
    by: string;
    reason: string;
  }): Promise<string>;
  /** Ends it now; false if none with this id goes on. */
  end(id: string, by: string, now: Date): Promise<boolean>;
  /** Those that end after a time, oldest first. */
  endingAfter(time: Date): Promise<Maintenance[]>;
}
