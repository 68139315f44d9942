import type { Acknowledged } from '../features/actions/acknowledgement.pure.ts';
import type { RunAdvice } from './trouble.pure.ts';

/** The kinds of items, most urgent first. */
export const ATTENTION_KINDS = [
  'two_managers',
  'host_silent',
  'live_disk',
  'output_disk',
  'host_quarantined',
  'run_silent',
  'run_stalled',
  'promise_missed',
  'given_up',
  'taken_together',
  'versions_differ',
  'runs_left',
  'cluster_blocked',
  'node_excluded',
  'job_waits',
  'same_number',
  'set_aside',
  'not_handed_on',
  'incomplete',
] as const;
export type AttentionKind = (typeof ATTENTION_KINDS)[number];

/** One problem that does not go away by itself. */
export interface AttentionItem {
  kind: AttentionKind;
  /** The host or run whose page the item opens. */
  run: number | null;
  host: string | null;
  /** What is wrong, in one short sentence: no path, no text of an exception. */
  what: string;
  /** The same with all that is known; null: there is no more. */
  detail: string | null;
  /** In a few words; items of one kind with the same cause are one trouble. Null: each is its own. */
  cause: string | null;
  /** Since when, if known; ISO 8601, UTC. */
  since: string | null;
  /** What a person can do, as text. */
  todo: string;
  /** The same in its parts, with the button that helps; null: there is none. */
  advice: RunAdvice | null;
  /** For actions. */
  key: string;
  seen: string;
  acknowledged: Acknowledged | null;
}

/** An item before it is marked for actions. */
export type Trouble = Omit<
  AttentionItem,
  'key' | 'seen' | 'acknowledged' | 'detail' | 'cause' | 'advice'
> &
  Partial<Pick<AttentionItem, 'detail' | 'cause' | 'advice'>> & {
    /** Differs between two occurrences of the same kind. */
    occurrence: string;
  };

export interface AttentionLimits {
  /** Time by which a promised retry may be late. */
  promiseGraceSeconds: number;
  /** Age that the heartbeat of a busy run may reach. */
  busyLeaseSeconds: number;
  consideringLeaseSeconds: number;
  /** A stalled run is an item after this time without progress. */
  stalledAttentionSeconds: number;
  /** A retry that has waited for this time goes before new runs. */
  overdueSeconds: number;
}
