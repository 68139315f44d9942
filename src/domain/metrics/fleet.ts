import type { AttentionItem } from '../overview/attention.ts';
import { CONDITIONS, type Condition } from '../overview/condition.ts';
import type { HostCard } from '../overview/hosts.ts';
import type { Queue } from '../overview/queue.ts';
import type { RunRow } from '../overview/run-row.ts';
import type { DatabaseName } from './calls.ts';
import { byLabel, single, type Family } from './exposition.ts';

/** What a host says of itself in figures, counted since the start of its manager. */
export interface HostFigures {
  host: string;
  refusedWrites: number | null;
  database: Partial<Record<DatabaseName, { calls: number; seconds: number; unanswered: number }>>;
}

/** What is read of the databases for one look at the fleet; all of it is bounded. */
export interface FleetReading {
  /** By the server's clock. */
  now: Date;
  /** The newest runs, in no order. */
  recent: readonly { condition: Condition; start: string | null }[];
  /** Untouched runs that may be taken, and those that are held. */
  fresh: number;
  freshHeld: number;
  /** Failed runs, and runs in work. */
  rows: readonly RunRow[];
  /** Being taken, or in work. */
  working: readonly RunRow[];
  queue: Queue;
  attention: readonly AttentionItem[];
  hosts: readonly HostCard[];
  figures: readonly HostFigures[];
}

/** All but those that only grow: of these the newest runs are counted. */
const WAITING: readonly Condition[] = CONDITIONS.filter(
  (condition) => !['done', 'debt', 'abandoned'].includes(condition),
);

const ATTENTION: Record<AttentionItem['kind'], 0> = {
  given_up: 0,
  set_aside: 0,
  promise_missed: 0,
  run_silent: 0,
  host_silent: 0,
  host_quarantined: 0,
};

const HOST_CONDITIONS: Record<HostCard['condition'], 0> = {
  busy: 0,
  idle: 0,
  blocked: 0,
  drained: 0,
  quarantined: 0,
  silent: 0,
};

/** Gauges of runs, queue, hosts and what needs a human. */
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
      'state',
      states,
    ),
    single(
      'gauge',
      'bootstrax_runs_capped',
      'Whether there are more of a state than were counted: 1 or 0.',
      queue.atLeast ? 1 : 0,
    ),
    byLabel(
      'gauge',
      'bootstrax_recent_runs',
      'The newest hundred runs, by state.',
      'state',
      tally(
        CONDITIONS,
        recent.map(({ condition }) => condition),
      ),
    ),
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
  ];
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
      'due',
      [
        ['now', queue.due],
        ['later', queue.later],
      ],
    ),
    byLabel(
      'gauge',
      'bootstrax_attention_items',
      'What needs a human, by kind, acknowledged or not.',
      'kind',
      tally(
        Object.keys(ATTENTION),
        attention.map(({ kind }) => kind),
      ),
    ),
    byLabel(
      'gauge',
      'bootstrax_attention_unacknowledged_items',
      'What needs a human and is not acknowledged, by kind.',
      'kind',
      tally(
        Object.keys(ATTENTION),
        attention.flatMap(({ kind, acknowledged }) => (acknowledged === null ? [kind] : [])),
      ),
    ),
  ];
}

function hostFamilies({ now, hosts, working, figures }: FleetReading): Family[] {
  const gauge = (name: string, help: string, of: (card: HostCard) => number | null) =>
    byLabel(
      'gauge',
      name,
      help,
      'host',
      hosts.map((card) => [card.host, of(card)] as const),
    );
  const ratio = (percent: number | null) => (percent === null ? null : percent / 100);
  const seconds = (hours: number | null) => (hours === null ? null : hours * 3600);
  return [
    {
      name: 'bootstrax_host_state',
      type: 'gauge',
      help: 'Whether a host is in this state: 1 or 0.',
      samples: hosts.flatMap(({ host, condition }) =>
        Object.keys(HOST_CONDITIONS).map((state) => ({
          labels: { host, state },
          value: state === condition ? 1 : 0,
        })),
      ),
    },
    gauge('bootstrax_host_accepting', 'Whether a host would take a run: 1 or 0.', (card) =>
      card.accepting ? 1 : 0,
    ),
    gauge(
      'bootstrax_host_life_sign_age_seconds',
      'Age of a host’s newest life sign.',
      ({ lastSign }) => secondsSince(Date.parse(lastSign), now),
    ),
    gauge('bootstrax_host_runs', 'Runs in a host’s hands.', ({ runs }) => runs.length),
    byLabel(
      'gauge',
      'bootstrax_host_processing_memory_bytes',
      'Memory of the processes of a host’s runs, as they said last.',
      'host',
      hosts.map(
        ({ host }) =>
          [
            host,
            working
              .filter((row) => row.host === host)
              .reduce((sum, { progress }) => sum + (progress?.memoryBytes ?? 0), 0),
          ] as const,
      ),
    ),
    gauge('bootstrax_host_cpu_used_ratio', 'Use of a host’s processors.', (card) =>
      ratio(card.cpuPercent),
    ),
    gauge('bootstrax_host_memory_used_ratio', 'Use of a host’s memory.', (card) =>
      ratio(card.memoryPercent),
    ),
    gauge('bootstrax_host_swap_used_ratio', 'Use of a host’s swap space.', (card) =>
      ratio(card.swapPercent),
    ),
    gauge('bootstrax_host_load', 'Processes of a host that want to run.', ({ load }) => load),
    gauge(
      'bootstrax_host_clock_skew_seconds',
      'How far a host’s clock is ahead of that of the database server.',
      ({ clockSkewSeconds }) => clockSkewSeconds,
    ),
    gauge('bootstrax_host_disk_used_ratio', 'Use of a host’s output disk.', (card) =>
      ratio(card.diskPercent),
    ),
    gauge(
      'bootstrax_host_disk_limit_ratio',
      'Use of its output disk above which a host takes no runs.',
      (card) => ratio(card.diskLimitPercent),
    ),
    gauge(
      'bootstrax_host_disk_full_seconds',
      'Until a host’s output disk reaches that limit, if that is within three days.',
      ({ diskFullInHours }) => seconds(diskFullInHours),
    ),
    gauge(
      'bootstrax_host_live_disk_used_ratio',
      'Use of the disk of the live data, as a host sees it.',
      (card) => ratio(card.liveDiskPercent),
    ),
    gauge(
      'bootstrax_host_live_disk_full_seconds',
      'Until the disk of the live data is full, if that is within three days.',
      ({ liveDiskFullInHours }) => seconds(liveDiskFullInHours),
    ),
    byLabel(
      'counter',
      'bootstrax_host_refused_writes_total',
      'Writes of a host that the database refused because the run was no longer its own, since the start of its manager.',
      'host',
      figures.map(({ host, refusedWrites }) => [host, refusedWrites] as const),
    ),
    ...databaseFamilies(figures),
  ];
}

function databaseFamilies(figures: readonly HostFigures[]): Family[] {
  const family = (name: string, help: string, of: 'calls' | 'seconds' | 'unanswered'): Family => ({
    name,
    type: 'counter',
    help: `${help}, since the start of the host’s manager.`,
    samples: figures.flatMap(({ host, database }) =>
      Object.entries(database).map(([name, sums]) => ({
        labels: { host, database: name },
        value: sums[of],
      })),
    ),
  });
  return [
    family('bootstrax_host_database_calls_total', 'Database calls', 'calls'),
    family('bootstrax_host_database_seconds_total', 'Time that they took together', 'seconds'),
    family('bootstrax_host_database_unanswered_total', 'Those that got no answer', 'unanswered'),
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

function secondsSince(ms: number, now: Date): number {
  return Math.max(0, (now.getTime() - ms) / 1000);
}

/** From a host's document; what earlier releases do not say is left out. */
export function hostFigures({
  host,
  extras,
}: {
  host: string;
  extras: Readonly<Record<string, unknown>>;
}): HostFigures {
  const said = (extras['database'] ?? {}) as Record<string, unknown>;
  const refused = extras['refused_writes'];
  return {
    host,
    refusedWrites: typeof refused === 'number' ? refused : null,
    database: Object.fromEntries(
      (['runs', 'daq'] as const).flatMap((name) => {
        const { calls, seconds, unanswered } = (said[name] ?? {}) as Record<string, unknown>;
        return typeof calls === 'number' &&
          typeof seconds === 'number' &&
          typeof unanswered === 'number'
          ? [[name, { calls, seconds, unanswered }]]
          : [];
      }),
    ),
  };
}
