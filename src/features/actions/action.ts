import type { ActionKind } from './action-table.pure.ts';
import type { Rules } from '../../infra/config/rules.pure.ts';
import type { Store } from '../../ports/store.ts';

export interface HostTarget {
  kind: 'host';
  host: string;
}

export interface RunTarget {
  kind: 'run';
  run: number;
  /** Id of the document that is meant, where several have the number. */
  document?: string;
}

/** What an action is about. */
export type Target =
  | RunTarget
  | HostTarget
  /** Something that needs a human, or a group of failures, by its key. */
  | { kind: 'item'; item: string };

/** What actions stand on. */
export interface Tools {
  store: Store;
  rules: Rules;
  /** The host at which it is written, as run documents name it. */
  writer: string;
  /** From 0 to 1, as `Math.random`. */
  random: () => number;
  /** What needs a human now. */
  attention: () => Promise<readonly { key: string; seen: string; what: string }[]>;
  /** Tells the manager of a host that something waits for it, if it is at this machine. */
  nudge: (host: string) => Promise<void>;
}

/** The reason of a command that was given none; the dashboard always asks for one. */
export const NO_REASON = 'no reason given';

/** Who asks, through what, and why. */
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
  /** What the person saw (`features/actions/seen.pure`); null: what is there now. */
  seen: string | null;
  /** It ends by itself after so many hours; null: never. */
  hours: number | null;
  /** With `retry`: its failures are forgotten. */
  fromStart?: boolean;
  /** With `retry` and `fail`: also a run that is done. */
  evenDone?: boolean;
  /** With `renumber`: the new number. */
  number?: number;
  /** With `reprocess`: what is there stays until the new is. */
  keep?: boolean;
}

/** How a target stands, and what the action would do to it. */
export interface Look {
  seen: string;
  /** For the audit. */
  before: Record<string, unknown> | null;
  possible: boolean;
  /** What will happen, or why it cannot. */
  effect: string;
  /** Data that is there now goes. */
  deletes?: boolean;
}
