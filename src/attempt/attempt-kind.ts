import type { Environment } from '../ports/environment.ts';
import type { RunDocument } from '../run/run-document.port.ts';
import type { Plan } from './attempt.pure.ts';
import { type Trace, TRACES } from './attempt-phases.pure.ts';
import type { Remains, Undoing } from './take-back.ts';

/** What has become of an attempt of which nothing is under way. */
export type Became =
  /** Claimed, and no child was asked for: the claim is given back by itself. */
  | 'unbegun'
  /** The run is done with it. */
  | 'done'
  /** The run is set aside, and lists what it has made. */
  | 'kept'
  /** It has failed, or has its run no more. */
  | 'lost';

/** What of an attempt is taken back, by what has become of it. */
export const GOES: Readonly<Record<Became, readonly Trace[]>> = {
  unbegun: ['place'],
  done: ['folders', 'place'],
  kept: ['place'],
  lost: TRACES,
};

/** An attempt at a run, or at what a done run lacks: what is known of it without its run. */
export interface AttemptKind {
  readonly ofDebt: boolean;
  readonly undoing: Undoing;
  /** Does the run say what became of this attempt? */
  concludedBy(document: RunDocument, attempt: string): boolean;
  /** What has become of one that this manager has found, by the run's documents. */
  becameOf(host: string, plan: Plan, remains: Remains): Became;
  /** What is due once the run is done with it. False if `signal` ended the waiting. */
  finish(env: Environment, remains: Remains, signal: AbortSignal): Promise<boolean>;
  /** Its end for the log, where it was found dead. */
  told(
    remains: Remains,
    became: Became,
    removed: number,
  ): { line: Record<string, unknown>; message: string };
}
