import type { Store } from '../../src/ports/store.ts';
import type { Call } from './reference-order.ts';
import type { MemoryDatabase } from './store/index.ts';
import type { World } from './worlds.ts';

export interface Violation {
  invariant: string;
  what: string;
  atSeconds: number;
}

export interface Outcome {
  seed: number;
  violations: Violation[];
  /** Of simulated time. */
  seconds: number;
  events: number;
  /** How the runs ended, by state. */
  ends: Record<string, number>;
  trace: string[];
}

/** `call` is a host's way to the database. */
export type StoreOf = (store: Store, database: MemoryDatabase, call: Call) => Store;

export type OldRule =
  /** Nothing keeps two managers of one name apart. */
  | 'managers live side by side'
  /** Who has no process any more has vanished, whatever it has written since it was looked at. */
  | 'no second look'
  /** Strax is done when it says so, whatever it has read. */
  | 'strax is believed';

export interface Options {
  /** Keeps a line for whatever happens. */
  trace?: boolean;
  /** Goes on after a violation; else the first ends the simulation. */
  goOn?: boolean;
  /** Puts another store in place of the real one. */
  storeOf?: StoreOf;
  /** Rules of before that are no decisions: these are in force. */
  old?: readonly OldRule[];
  /** What the night has besides the ordinary; else the seed tells. */
  worlds?: readonly World[];
}
