import type { ResourceRules, Rules } from '../infra/config/rules.pure.ts';

/** The DAQ's dispatcher writes every few seconds, run or not: one that is silent this long is off. */
const DAQ_SILENT_SECONDS = 3600;

export interface RateFacts {
  /** Has the run's end been written? */
  ended: boolean;
  /** Since the run's start, by the server's clock; null while that is not known. */
  ageSeconds: number | null;
  /** Has the DAQ written any status since the time of `statusSince`? Null: not known. */
  daqReports: boolean | null;
}

export type RateWait =
  /** What the DAQ has reported by now is taken; `why` nothing else is waited for. */
  | { kind: 'as_it_is'; why: string }
  /** Asking begins after `firstSeconds` and is given up after `limitSeconds`, both from now on. */
  | { kind: 'wait'; firstSeconds: number; limitSeconds: number };

/** Do the resources of an attempt follow the data rate of its run? */
export function followsRate(rules: ResourceRules, table: string): boolean {
  return rules.byRate && (rules.tables[table] ?? []).length > 0;
}

/** Since when, in seconds before now, a DAQ that reports rates must have written some status. */
export function statusSinceSeconds(
  ageSeconds: number,
  { maxRateSeconds }: Rules['limits'],
): number {
  return ageSeconds > maxRateSeconds
    ? Math.min(ageSeconds, DAQ_SILENT_SECONDS)
    : DAQ_SILENT_SECONDS;
}

/** How long a start waits for the data rate: only where it is used and can still come. */
export function rateWait(facts: RateFacts, rules: Rules, table: string): RateWait {
  if (!followsRate(rules.resources, table)) {
    return { kind: 'as_it_is', why: 'the resources do not follow it' };
  }
  if (facts.ended) {
    return { kind: 'as_it_is', why: 'the run has ended, and its document tells none' };
  }
  if (facts.daqReports === false) {
    return { kind: 'as_it_is', why: 'the DAQ writes no aggregate_status' };
  }
  const { minRateAgeSeconds, maxRateSeconds } = rules.limits;
  const tooYoung = Math.min(minRateAgeSeconds, minRateAgeSeconds - (facts.ageSeconds ?? 0));
  return { kind: 'wait', firstSeconds: Math.max(0, tooYoung), limitSeconds: maxRateSeconds };
}
