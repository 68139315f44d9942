import type { Ended } from '../attempt/attempt.pure.ts';
import type { ProcessIdentity } from '../infra/linux/process-identity.pure.ts';

/** Where the processes of an attempt are; for people and logs. */
export type Where =
  | {
      executor: 'local';
      /** Null as long as it is not known. */
      guardian: ProcessIdentity | null;
    }
  | {
      executor: 'slurm';
      cluster: string;
      job: string | null;
      node: string | null;
      /** In Slurm's words. */
      state: string | null;
      reason: string | null;
    };

/**
 * What is known of an attempt's processes. `waiting`: none has begun, and one still may; `running`:
 * one lives; `gone`: none lives, and none will begin; `unknown`: nobody can tell now, so that nothing
 * may be concluded from it.
 */
export type Life = 'waiting' | 'running' | 'gone' | 'unknown';

/** What an executor knows of an end that the files of the attempt do not tell. */
export type Verdict =
  | { kind: 'ended'; ended: Ended }
  | { kind: 'out_of_memory' }
  /** Its node is lost: processes may run on there, and nobody can end them. */
  | { kind: 'lost'; node: string | null };
