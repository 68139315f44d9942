import { byLabel, type Family, single } from '../../infra/metrics/exposition.pure.ts';
import { ATTENTION_KINDS, type AttentionItem } from '../../readmodel/attention.pure.ts';
import type { Queue } from '../../readmodel/queue.pure.ts';
import { type Condition, CONDITIONS, isWorking } from '../../readmodel/run-condition.pure.ts';
import type { RunRow } from '../../readmodel/run-row.pure.ts';
import { secondsSince } from './ages.pure.ts';
import { hostFamilies, type HostReading } from './host-metrics.pure.ts';

/** Everything that one reading of the fleet takes from the databases; each part is bounded. */
export interface FleetReading extends HostReading {
  /** The newest runs, in no order. */
  recent: readonly { condition: Condition; start: string | null }[];
  /** Untouched runs that may be taken, and those that are held. */
  fresh: number;
  freshHeld: number;
  /** Failed runs, and runs in work. */
  rows: readonly RunRow[];
  queue: Queue;
  attention: readonly AttentionItem[];
}

/** All but those that only grow: of these the newest runs are counted. */
const WAITING: readonly Condition[] = CONDITIONS.filter(
  (condition) => !['done', 'debt', 'abandoned'].includes(condition),
);

/** Gauges of runs, queue, hosts and what needs attention. */
export function fleetFamilies(reading: FleetReading): Family[] {
  return [...runFamilies(reading), ...queueFamilies(reading), ...hostFamilies(reading)];
}

function runFamilies({
  now,
  recent,
  rows,
  working,
  fresh,
  freshHeld,
  queue,
}: FleetReading): Family[] {
  const states = tally(
    WAITING,
    rows.map(({ condition }) => condition),
  );
  states.set('new', fresh);
  states.set('held', (states.get('held') ?? 0) + freshHeld);
  const taken = working.filter(({ end }) => end === null);
  const starts = recent.flatMap(({ start }) => (start === null ? [] : [Date.parse(start)]));
  return [
    byLabel(
      'gauge',
      'bootstrax_runs',
      'Runs that are not at their end, by state; failed ones that began within 30 days.',
      { label: 'state', values: states },
    ),
    single(
      'gauge',
      'bootstrax_runs_capped',
      'Whether there are more of a state than were counted: 1 or 0.',
      queue.atLeast ? 1 : 0,
    ),
    byLabel('gauge', 'bootstrax_recent_runs', 'The newest hundred runs, by state.', {
      label: 'state',
      values: tally(
        CONDITIONS,
        recent.map(({ condition }) => condition),
      ),
    }),
    single(
      'gauge',
      'bootstrax_runs_being_taken',
      'Runs that have begun within a day and not ended.',
      taken.length,
    ),
    single(
      'gauge',
      'bootstrax_newest_run_age_seconds',
      'How long ago the newest run began.',
      starts.length === 0 ? null : secondsSince(Math.max(...starts), now),
    ),
    single(
      'gauge',
      'bootstrax_processing_lag_seconds',
      'How far the reading of a run that is being taken is behind the detector, at most.',
      Math.max(0, ...taken.map(({ progress }) => progress?.behindSeconds ?? 0)),
    ),
    single(
      'gauge',
      'bootstrax_run_still_seconds',
      'How long a run in work has made no progress, at most; 0 without one.',
      Math.max(0, ...rows.map(stillSeconds)),
    ),
  ];
}

function stillSeconds({ condition, progress }: RunRow): number {
  return isWorking(condition) ? (progress?.stillSeconds ?? 0) : 0;
}

function queueFamilies({ now, queue, attention }: FleetReading): Family[] {
  return [
    single(
      'gauge',
      'bootstrax_queue_oldest_age_seconds',
      'How long ago the oldest run began that no host has taken yet; 0 if there is none.',
      queue.oldest === null ? 0 : secondsSince(Date.parse(queue.oldest.start), now),
    ),
    byLabel(
      'gauge',
      'bootstrax_queue_retries',
      'Failed runs that are to be tried again now, or later.',
      {
        label: 'due',
        values: [
          ['now', queue.due],
          ['later', queue.later],
        ],
      },
    ),
    byLabel(
      'gauge',
      'bootstrax_attention_items',
      'What needs attention, by kind, acknowledged or not.',
      {
        label: 'kind',
        values: tally(
          ATTENTION_KINDS,
          attention.map(({ kind }) => kind),
        ),
      },
    ),
    byLabel(
      'gauge',
      'bootstrax_attention_unacknowledged_items',
      'What needs attention and is not acknowledged, by kind.',
      {
        label: 'kind',
        values: tally(
          ATTENTION_KINDS,
          attention.flatMap(({ kind, acknowledged }) => (acknowledged === null ? [kind] : [])),
        ),
      },
    ),
  ];
}

function tally<Name extends string>(
  names: readonly Name[],
  found: readonly Name[],
): Map<Name, number> {
  const counts = new Map(names.map((name) => [name, 0]));
  for (const name of found) {
    const count = counts.get(name);
    if (count !== undefined) counts.set(name, count + 1);
  }
  return counts;
}
