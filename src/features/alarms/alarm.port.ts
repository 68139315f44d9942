import type { Alarm, Maintenance, Receiver, StoredAlarm } from './alarm.pure.ts';

/** Receivers of messages, and the receiver of the dead-man signal. */
export type Destination = Receiver | 'dead_man';

/** The state of sending to a destination. */
export interface ReceiverDocument {
  destination: Destination;
  /** Counts the turns: the field of the compare-and-set. */
  turn: number;
  /** Which process has the turn to send, and until when. */
  claimedBy: string | null;
  claimedUntil: Date | null;
  /** When the next message may be sent. */
  next: Date | null;
  /** When the last message was sent. */
  sent: Date | null;
  /** Failures in a row, their begin, and the last reason. */
  failures: number;
  failingSince: Date | null;
  problem: string | null;
}

/** Collection `bootstrax_alarms` of the runs database. Every change is a compare-and-set. */
export interface AlarmStore {
  /** Opens occurrence `after + 1`; false if another process was first. */
  raise(alarm: Alarm, after: number): Promise<boolean>;
  /** Ends this occurrence; false if it has ended already. */
  clear(key: string, episode: number): Promise<boolean>;
  /** Records that a message about this occurrence was sent to a receiver. */
  told(alarm: StoredAlarm, receiver: Receiver, said: 'raised' | 'cleared'): Promise<void>;
  open(): Promise<StoredAlarm[]>;
  /** Alarms that ended after a time. */
  overSince(since: Date, limit: number): Promise<StoredAlarm[]>;
  /** The stored alarms with these keys. */
  byKeys(keys: readonly string[]): Promise<StoredAlarm[]>;
  receivers(): Promise<ReceiverDocument[]>;
  /** Takes the turn to send, for a limited time; null if another process was first. */
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
  /** Ends a maintenance now; false if none with this id is open. */
  end(id: string, by: string, now: Date): Promise<boolean>;
  /** Maintenance that ends after a time, oldest first. */
  endingAfter(time: Date): Promise<Maintenance[]>;
}
