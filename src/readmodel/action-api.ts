import type { ActionKind } from '../features/actions/action-table.pure.ts';

/** What the API asks and answers about actions: the one definition for server and client. Times ISO 8601, UTC. */

/** What an action is about; exactly one of the three. */
export interface ActionTarget {
  run?: number;
  host?: string;
  /** Key of an item that needs a human, or of a failure group. */
  item?: string;
}

/** POST /api/actions/preview */
export interface PreviewBody {
  kind: ActionKind;
  targets: ActionTarget[];
}

/** What the action would do to one target, as things stand. */
export interface ActionEffect extends ActionTarget {
  /** What was seen: the action lands only if it is still so. */
  seen: string;
  possible: boolean;
  /** One sentence: what will happen, or why it cannot. */
  effect: string;
}

export interface PreviewAnswer {
  now: string;
  effects: ActionEffect[];
}

/** POST /api/actions */
export interface ActionBody {
  kind: ActionKind;
  /** For those who read it later; never empty. */
  reason: string;
  targets: (ActionTarget & { seen: string })[];
  /** For drain and acknowledge: it ends by itself after so many hours. */
  hours?: number;
}

/** One action as the audit has it. */
export interface ActionView extends ActionTarget {
  id: string;
  /** An `ActionKind`, or one of another release. */
  kind: string;
  by: string;
  /** Through what it came. */
  via: 'dashboard' | 'command';
  reason: string;
  state: 'requested' | 'seen' | 'done' | 'refused';
  requested: string;
  /** The host that carries it out, once it has noticed. */
  seenBy: { host: string; at: string } | null;
  ended: string | null;
  /** What has been done, or why it was refused. */
  message: string | null;
  /** When it ends by itself. */
  expires: string | null;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
}

/** POST /api/actions: one each, in the order of the targets. */
export interface ActionsAnswer {
  now: string;
  actions: ActionView[];
}

/** GET /api/actions: newest first. */
export interface AuditAnswer extends ActionsAnswer {
  /** For the next page; null at the end. */
  before: string | null;
}
