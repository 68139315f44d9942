import type { ObjectId } from 'mongodb';

import type { ExecutorName } from '../../executors/executor-name.pure.ts';
import type { AttemptDocument } from '../../retry/attempt-history.port.ts';
import type { DataRegistration, PlanSummary } from '../../run/run.port.ts';
import type { RunDocument, Seen } from '../../run/run-document.port.ts';
import type { DebtSeen } from '../../run/stored-run.pure.ts';

/** What becomes of a debt, in the history of the attempt that left it. */
export interface DebtNote {
  /** To be made up for by the attempt's host. */
  offered: boolean;
  /** Who offered it, or `idle`. */
  by: string;
  /** Where that person wants it; null: where there is a place. */
  on: ExecutorName | null;
  /** How often it has been tried since it was offered. */
  tries: number;
  /** The newest such attempt, and why it came to nothing. */
  attempt: string | null;
  reason: string | null;
  /** Made up for: no debt any more. */
  paid: boolean;
}

export type DebtDocument = AttemptDocument & { debt?: Partial<DebtNote> };

/** Proof that a debt of a done run is this attempt's to make up for. */
export interface DebtFence {
  id: ObjectId;
  attempt: string;
  host: string;
}

export interface DebtStore {
  /** Done attempts since a time that left a debt which nobody has made up for; newest first. */
  open(query: { since: Date; host?: string; limit: number }): Promise<DebtDocument[]>;
  /** Those offered to this host. */
  offered(host: string, limit: number): Promise<DebtDocument[]>;
  /** The runs with these numbers, with what others have made of them. */
  runs(numbers: readonly number[]): Promise<RunDocument[]>;
  run(id: ObjectId): Promise<RunDocument | null>;
  byIds(ids: readonly ObjectId[]): Promise<RunDocument[]>;
  /** In the history of the attempt that left the debt. */
  note(attempt: string, fields: Partial<DebtNote>): Promise<void>;

  /**
   * Takes the debt of a done run, if the run is as seen and nobody has gone on with it. Its state
   * stays; its status is taken away until the end, so that nobody goes on with it meanwhile.
   */
  claim(seen: Seen, owner: { attempt: string; host: string }): Promise<'claimed' | 'lost'>;
  /** Heartbeat. */
  renew(fence: DebtFence): Promise<'landed' | 'superseded'>;
  /** The same for all that wait for a place, in one write. */
  renewWaiting(fences: readonly DebtFence[]): Promise<void>;
  /** What was added is listed, and the run is handed on. `again`: as for `RunStore.conclude`. */
  pay(
    fence: DebtFence,
    made: { register: readonly DataRegistration[]; plan: PlanSummary },
    again?: boolean,
  ): Promise<'landed' | 'superseded'>;
  /** The run is handed on as it was before. */
  giveBack(fence: DebtFence): Promise<void>;
  /** The same for one whose holder has been silent for too long. */
  release(seen: Seen, debt: DebtSeen): Promise<'landed' | 'changed'>;
}
