import type { ClusterFacts } from '../../executors/cluster-facts.pure.ts';
import type { DatabaseName } from '../../infra/metrics/call-metrics.pure.ts';
import { byLabel, type Family } from '../../infra/metrics/exposition.pure.ts';
import type { HostCard } from '../../readmodel/hosts.pure.ts';
import type { RunRow } from '../../readmodel/run-row.pure.ts';
import { secondsSince } from './ages.pure.ts';

/** What a host says of itself in figures, counted since the start of its manager. */
export interface HostFigures {
  host: string;
  refusedWrites: number | null;
  database: Partial<Record<DatabaseName, { calls: number; seconds: number; unanswered: number }>>;
}

/** What is read of the hosts, and of the runs in their hands. */
export interface HostReading {
  /** By the server's clock. */
  now: Date;
  hosts: readonly HostCard[];
  /** Being taken, or in work. */
  working: readonly RunRow[];
  figures: readonly HostFigures[];
}

const HOST_CONDITIONS: Record<HostCard['condition'], 0> = {
  busy: 0,
  idle: 0,
  blocked: 0,
  drained: 0,
  quarantined: 0,
  silent: 0,
};

/** Gauges of each host, and what its manager counts. */
export function hostFamilies({ now, hosts, working, figures }: HostReading): Family[] {
  const gauge = (name: string, help: string, of: (card: HostCard) => number | null) =>
    byLabel('gauge', name, help, {
      label: 'host',
      values: hosts.map((card) => [card.host, of(card)] as const),
    });
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
      'bootstrax_host_heartbeat_age_seconds',
      'Age of a host’s newest heartbeat.',
      ({ lastSign }) => secondsSince(Date.parse(lastSign), now),
    ),
    gauge('bootstrax_host_runs', 'Runs in a host’s hands.', ({ runs }) => runs.length),
    byLabel(
      'gauge',
      'bootstrax_host_processing_memory_bytes',
      'Memory of the processes of a host’s runs, as they said last.',
      {
        label: 'host',
        values: hosts.map(
          ({ host }) =>
            [
              host,
              working
                .filter((row) => row.host === host)
                .reduce((sum, { progress }) => sum + (progress?.memoryBytes ?? 0), 0),
            ] as const,
        ),
      },
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
      {
        label: 'host',
        values: figures.map(({ host, refusedWrites }) => [host, refusedWrites] as const),
      },
    ),
    ...clusterFamilies(hosts),
    ...databaseFamilies(figures),
  ];
}

/** Of hosts that have a cluster. */
function clusterFamilies(hosts: readonly HostCard[]): Family[] {
  const gauge = (name: string, help: string, of: (facts: ClusterFacts) => number | null) =>
    byLabel('gauge', `bootstrax_slurm_${name}`, help, {
      label: 'host',
      values: hosts.map(({ host, cluster }) => [host, cluster ? of(cluster) : null] as const),
    });
  return [
    gauge('ready', 'Whether Slurm takes jobs of a host: 1 or 0.', ({ whyNot }) =>
      whyNot === null ? 1 : 0,
    ),
    gauge('jobs_running', 'Jobs of a host that run in Slurm.', ({ running }) => running),
    gauge('jobs_waiting', 'Jobs of a host that wait in Slurm.', ({ waiting }) => waiting),
    gauge('oldest_wait_seconds', 'Of the job of a host that has waited longest.', (facts) =>
      facts.waiting === 0 ? 0 : facts.oldestWaitSeconds,
    ),
    gauge('silent_seconds', 'Since Slurm last answered a host.', (facts) => facts.silentSeconds),
    gauge(
      'nodes_excluded',
      'Nodes that get no job of a host for a while.',
      ({ nodes }) => nodes.filter(({ excludedForSeconds }) => excludedForSeconds !== null).length,
    ),
  ];
}

function databaseFamilies(figures: readonly HostFigures[]): Family[] {
  const family = (name: string, help: string, of: 'calls' | 'seconds' | 'unanswered'): Family => ({
    name,
    type: 'counter',
    help: `${help}, since the start of the host’s manager.`,
    samples: figures.flatMap(({ host, database }) =>
      Object.entries(database).map(([which, sums]) => ({
        labels: { host, database: which },
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
