import type { ActionKind } from '../features/actions/action-table.pure.ts';

/** Requests and answers of the API about actions: the one definition for server and client. Times are ISO 8601, UTC. */

/** The target of an action; exactly one of the three. */
export interface ActionTarget {
  run?: number;
  host?: string;
  /** Key of an item that needs attention, or of a failure group. */
  item?: string;
}

/** POST /api/actions/preview */
export interface PreviewBody {
  kind: ActionKind;
  targets: ActionTarget[];
  /** For reprocess: the present products stay until the new ones are there. */
  keep?: boolean;
  /** For reprocess: where; absent: where there is a place. */
  on?: 'local' | 'slurm';
}

/** What the action would do to one target now. */
export interface ActionEffect extends ActionTarget {
  /** What the person saw: the action lands only while it is still the same. */
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
  /** The reason, for those who read it later; never empty. */
  reason: string;
  targets: (ActionTarget & { seen: string })[];
  /** For drain and acknowledge: after this time it ends by itself. */
  hours?: number;
  /** For reprocess: the present products stay until the new ones are there. */
  keep?: boolean;
  /** For reprocess: where; absent: where there is a place. */
  on?: 'local' | 'slurm';
}

/** One action of the list of actions. */
export interface ActionView extends ActionTarget {
  id: string;
  /** An `ActionKind`, or one of another release. */
  kind: string;
  by: string;
  /** Whether it was requested by a command or on the page. */
  via: 'dashboard' | 'command';
  reason: string;
  state: 'requested' | 'seen' | 'done' | 'refused';
  requested: string;
  /** The host that carries it out, once that has read it. */
  seenBy: { host: string; at: string } | null;
  ended: string | null;
  /** What has been done, or why it was refused. */
  message: string | null;
  /** When it ends by itself. */
  expires: string | null;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
}

/** POST /api/actions: one action for each target, in their order. */
export interface ActionsAnswer {
  now: string;
  actions: ActionView[];
}

/** GET /api/actions: newest first. */
export interface AuditAnswer extends ActionsAnswer {
  /** For the next page; null at the end. */
  before: string | null;
}
