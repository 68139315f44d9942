import type { Standing } from './acknowledgement.pure.ts';
import type { ActionKind } from './action-table.pure.ts';

/** What an action is about: exactly one of the three is not null. */
export interface ActionAbout {
  run: number | null;
  host: string | null;
  item: string | null;
}

/** What a person has asked for, before anything of it is carried out. */
export interface ActionRequest extends ActionAbout {
  /** 24 hexadecimal digits. */
  id: string;
  kind: ActionKind;
  by: string;
  via: 'dashboard' | 'command';
  reason: string;
  /** As `features/actions/seen.pure` has it. */
  saw: string;
  /** It ends by itself after so many hours; null: never. */
  hours: number | null;
  /** How things stood. */
  before: Record<string, unknown> | null;
  /** The host that has to carry it out; null: whoever wrote it does. */
  awaits: string | null;
}

export interface ActionDocument extends Omit<ActionRequest, 'kind'> {
  /** Another release may know actions that this one does not: see `isActionKind`. */
  kind: string;
  state: 'requested' | 'seen' | 'done' | 'refused';
  requested: Date;
  /** Its host has noticed it. */
  seenBy: { host: string; at: Date } | null;
  ended: Date | null;
  /** What has been done, or why it was refused. */
  message: string | null;
  expires: Date | null;
  after: Record<string, unknown> | null;
  /** An attempt that has lost its run by it, and is to end. */
  attempt: string | null;
}

export interface ActionQuery {
  run?: number;
  host?: string;
  item?: string;
  /** Continue a listing. */
  before?: { requested: Date; id: string };
  limit: number;
}

/**
 * Collections `bootstrax_actions` and `bootstrax_acknowledgements` of the runs database. All writes
 * may be carried out twice.
 */
export interface ActionStore {
  /** The first of all writes of an action. */
  request(request: ActionRequest): Promise<void>;
  /** It is carried out but for what this host has to do: its attempt has lost the run. */
  awaitHost(
    id: string,
    awaits: {
      host: string;
      attempt: string;
      message: string;
      after: Record<string, unknown> | null;
    },
  ): Promise<void>;
  /** Noticed by the host that it waits for. */
  seen(id: string, host: string): Promise<void>;
  /** Carried out: whatever was thought of it before. */
  done(
    id: string,
    end: {
      message: string;
      after?: Record<string, unknown> | null;
      /** A time, or hours from now. */
      expires?: Date | { hours: number } | null;
      /** The host that has done it. */
      host?: string;
    },
  ): Promise<void>;
  /** Unless it has ended. */
  refuse(id: string, why: string, host?: string): Promise<void>;
  get(id: string): Promise<ActionDocument | null>;
  /** Newest first. */
  list(query: ActionQuery): Promise<ActionDocument[]>;
  /** Neither done nor refused; oldest first. */
  open(): Promise<ActionDocument[]>;
  /** The newest acknowledgement of each item that has one. */
  standing(): Promise<Standing[]>;
  /**
   * Makes this action the newest acknowledgement of an item, if that is still the one of `replaces`
   * (null: it has none).
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
   * Calls back when an action is new or has changed, and with every interruption. 'unsupported' also
   * where an idle stream would cost more than a poll.
   */
  watch(onHint: () => void, signal: AbortSignal): Promise<'aborted' | 'unsupported'>;
}
