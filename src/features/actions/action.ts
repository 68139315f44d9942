import type { ExecutorName } from '../../executors/executor-name.pure.ts';
import type { Rules } from '../../infra/config/rules.pure.ts';
import type { Store } from '../../ports/store.ts';
import type { ActionKind } from './action-table.pure.ts';

export interface HostTarget {
  kind: 'host';
  host: string;
}

export interface RunTarget {
  kind: 'run';
  run: number;
  /** Id of the run document, where several have the number. */
  document?: string;
}

/** The target of an action. */
export type Target =
  | RunTarget
  | HostTarget
  /** Something that needs attention, or a group of failures, by its key. */
  | { kind: 'item'; item: string };

/** What actions need from outside. */
export interface Tools {
  store: Store;
  rules: Rules;
  /** The host of this machine, as run documents name it. */
  writer: string;
  /** From 0 to 1, as `Math.random`. */
  random: () => number;
  /** What needs attention now. */
  attention: () => Promise<readonly { key: string; seen: string; what: string }[]>;
  /** Wakes the manager of a host, if it runs on this machine. */
  wake: (host: string) => Promise<void>;
}

/** The reason of a command without one; the dashboard requires one. */
export const NO_REASON = 'no reason given';

/** Who requests the action, by command or page, and why. */
export interface Asker {
  by: string;
  via: 'dashboard' | 'command';
  /** Never empty. */
  reason: string;
}

/** One action at one target. */
export interface Ask extends Asker {
  kind: ActionKind;
  target: Target;
  /** What the person saw (`features/actions/seen.pure`); null: the present state. */
  seen: string | null;
  /** The action ends by itself after this time; null: never. */
  hours: number | null;
  /** With `retry`: the failures of the run are forgotten. */
  fromStart?: boolean;
  /** With `retry` and `fail`: a done run is a legal target. */
  evenDone?: boolean;
  /** With `renumber`: the new number. */
  number?: number;
  /** With `reprocess`: the present products stay until the new ones are there. */
  keep?: boolean;
  /** With `reprocess`: where; absent: where there is a place. */
  on?: ExecutorName;
}

/** The state of a target, and what the action would do to it. */
export interface TargetState {
  seen: string;
  /** The state before the action, for its record. */
  before: Record<string, unknown> | null;
  possible: boolean;
  /** What the action will do, or why it is not possible. */
  effect: string;
  /** The action deletes data that is there now. */
  deletes?: boolean;
}
