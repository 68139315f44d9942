import type { Standing } from './acknowledgement.pure.ts';
import type { ActionKind } from './action-table.pure.ts';

/** The target of an action: exactly one of the three is not null. */
export interface ActionAbout {
  run: number | null;
  host: string | null;
  item: string | null;
}

/** An action as it is recorded before it is carried out. */
export interface ActionRequest extends ActionAbout {
  /** 24 hexadecimal digits. */
  id: string;
  kind: ActionKind;
  by: string;
  via: 'dashboard' | 'command';
  reason: string;
  /** What the person saw (`features/actions/seen.pure`). */
  saw: string;
  /** The action ends by itself after this time; null: never. */
  hours: number | null;
  /** The state before the action. */
  before: Record<string, unknown> | null;
  /** The host that has to carry it out; null: the process that wrote it does. */
  awaits: string | null;
}

export interface ActionDocument extends Omit<ActionRequest, 'kind'> {
  /** Another release may know actions that this one does not: see `isActionKind`. */
  kind: string;
  state: 'requested' | 'seen' | 'done' | 'refused';
  requested: Date;
  /** When its host has read it. */
  seenBy: { host: string; at: Date } | null;
  ended: Date | null;
  /** What has been done, or why it was refused. */
  message: string | null;
  expires: Date | null;
  after: Record<string, unknown> | null;
  /** The attempt that lost its run by the action, and has to stop. */
  attempt: string | null;
}

export interface ActionQuery {
  run?: number;
  host?: string;
  item?: string;
  /** Where the next page of a listing begins. */
  before?: { requested: Date; id: string };
  limit: number;
}

/**
 * Collections `bootstrax_actions` and `bootstrax_acknowledgements` of the runs database. A second
 * execution of a write does no harm.
 */
export interface ActionStore {
  /** Records a new action: the first write of each. */
  request(request: ActionRequest): Promise<void>;
  /** Records that the action is carried out, and that this host has to stop its superseded attempt. */
  awaitHost(
    id: string,
    awaits: {
      host: string;
      attempt: string;
      message: string;
      after: Record<string, unknown> | null;
    },
  ): Promise<void>;
  /** Records that the awaited host has read the action. */
  seen(id: string, host: string): Promise<void>;
  /** Records that the action is done, whatever its state was. */
  done(
    id: string,
    end: {
      message: string;
      after?: Record<string, unknown> | null;
      /** A time, or hours from now. */
      expires?: Date | { hours: number } | null;
      /** The host that has carried it out. */
      host?: string;
    },
  ): Promise<void>;
  /** Records the refusal, unless the action is done already. */
  refuse(id: string, why: string, host?: string): Promise<void>;
  get(id: string): Promise<ActionDocument | null>;
  /** Lists actions, newest first. */
  list(query: ActionQuery): Promise<ActionDocument[]>;
  /** Actions that are neither done nor refused, oldest first. */
  open(): Promise<ActionDocument[]>;
  /** The newest acknowledgement of each item. */
  standing(): Promise<Standing[]>;
  /**
   * Makes this action the newest acknowledgement of an item, if `replaces` still is (null: there is
   * none).
   */
  acknowledge(
    acknowledgement: {
      item: string;
      action: string;
      occurrence: string;
      by: string;
      reason: string;
      hours: number | null;
    },
    replaces: string | null,
  ): Promise<'landed' | 'changed'>;
  /**
   * Calls back when an action is new or has changed, and after each interruption. Answers 'unsupported'
   * also where an idle stream costs more than a poll.
   */
  watch(onHint: () => void, signal: AbortSignal): Promise<'aborted' | 'unsupported'>;
}
