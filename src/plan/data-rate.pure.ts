import type { ResourceRules, Rules } from '../infra/config/rules.pure.ts';

/** The DAQ's dispatcher writes every few seconds, also without a run: after this silence it is off. */
const DAQ_SILENT_SECONDS = 3600;

export interface RateFacts {
  /** Has the run's end been written? */
  ended: boolean;
  /** Seconds since the start of the run, by the server's clock; null while that is not known. */
  ageSeconds: number | null;
  /** Whether the DAQ has written a status since then (`statusSinceSeconds`); null: not known. */
  daqReports: boolean | null;
}

export type RateWait =
  /** The rate reported so far is used; `why` says why there is no waiting. */
  | { kind: 'as_it_is'; why: string }
  /** The rate is read from `firstSeconds` on and given up after `limitSeconds`, both from now. */
  | { kind: 'wait'; firstSeconds: number; limitSeconds: number };

/** Whether the resources of an attempt depend on the data rate of its run. */
export function followsRate(rules: ResourceRules, table: string): boolean {
  return rules.byRate && (rules.tables[table] ?? []).length > 0;
}

/** A DAQ that reports rates must have written a status within this time before now. */
export function statusSinceSeconds(
  ageSeconds: number,
  { maxRateSeconds }: Rules['limits'],
): number {
  return ageSeconds > maxRateSeconds
    ? Math.min(ageSeconds, DAQ_SILENT_SECONDS)
    : DAQ_SILENT_SECONDS;
}

/** How long a start waits for the data rate: only if it is used and can still come. */
export function rateWait(facts: RateFacts, rules: Rules, table: string): RateWait {
  if (!followsRate(rules.resources, table)) {
    return { kind: 'as_it_is', why: 'the resources do not depend on it' };
  }
  if (facts.ended) {
    return { kind: 'as_it_is', why: 'the run has ended, and its document has none' };
  }
  if (facts.daqReports === false) {
    return { kind: 'as_it_is', why: 'the DAQ writes no aggregate_status' };
  }
  const { minRateAgeSeconds, maxRateSeconds } = rules.limits;
  const tooYoung = Math.min(minRateAgeSeconds, minRateAgeSeconds - (facts.ageSeconds ?? 0));
  return { kind: 'wait', firstSeconds: Math.max(0, tooYoung), limitSeconds: maxRateSeconds };
}
