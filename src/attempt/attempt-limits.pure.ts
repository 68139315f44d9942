import type { LimitRules } from '../infra/config/rules.pure.ts';
import type { Ended } from './outcome.pure.ts';

/** Times of a running attempt in seconds. */
export interface AttemptAge {
  /** Since its child began, by the child's own count. */
  ageSeconds: number;
  /** Since its last progress. */
  idleSeconds: number;
  /** Since the end of its run, by the server's clock; null while the run is taken or if that is not known. */
  sinceEndSeconds: number | null;
  /** The run is done already, and the attempt makes what it lacks. */
  ofDebt: boolean;
}

type Limits = Pick<LimitRules, 'maxProcessingSeconds' | 'maxAfterEndSeconds' | 'maxNoWriteSeconds'>;

/** Why an attempt is to be stopped now; null if it may go on. */
export function exceededLimit(attempt: AttemptAge, limits: Limits): Ended | null {
  const { ageSeconds, idleSeconds, sinceEndSeconds, ofDebt } = attempt;
  if (processingSeconds(attempt) > limits.maxProcessingSeconds) {
    return { kind: 'timed_out', which: 'processing' };
  }
  const isLate = sinceEndSeconds !== null && sinceEndSeconds > limits.maxAfterEndSeconds;
  if (!ofDebt && isLate && ageSeconds > limits.maxAfterEndSeconds) {
    return { kind: 'timed_out', which: 'after_end' };
  }
  return idleSeconds > limits.maxNoWriteSeconds ? { kind: 'no_progress' } : null;
}

/** A run may be taken for days: as long as it is, only the time without progress counts. */
function processingSeconds({ ageSeconds, idleSeconds, sinceEndSeconds, ofDebt }: AttemptAge) {
  if (ofDebt) return ageSeconds;
  // An end in the future is one that the DAQ has not reached.
  const isTaken = sinceEndSeconds === null || sinceEndSeconds < 0;
  return Math.min(ageSeconds, isTaken ? idleSeconds : sinceEndSeconds);
}
