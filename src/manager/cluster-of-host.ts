import { userInfo } from 'node:os';
import { join } from 'node:path';

import type { Plan } from '../attempt/attempt.pure.ts';
import type { Executor } from '../executors/executor.ts';
import type { JobRules } from '../executors/job-rules.pure.ts';
import type { JobDestination } from '../executors/slurm/sbatch-arguments.pure.ts';
import { SlurmClient } from '../executors/slurm/slurm-client.ts';
import { SlurmExecutor } from '../executors/slurm/slurm-executor.ts';
import { SlurmQueue } from '../executors/slurm/slurm-queue.ts';
import type { ProbeParts } from '../executors/slurm/storage-probe.ts';
import { StorageWatch } from '../executors/slurm/storage-watch.ts';
import { systemClock } from '../infra/clock/clock.ts';
import type { Tasks } from '../infra/concurrency/tasks.ts';
import type { Settings } from '../infra/config/entries.ts';
import { packageDirectory, stagingDirectory } from '../infra/config/paths.ts';

/** What a job asks for where its plan does not say. */
const DEFAULT_JOB = { memoryBytes: 8e9, seconds: 1800 };

export interface ClusterOfHost {
  cluster: Executor | null;
  /** Null: no run becomes a job. */
  jobs: JobRules | null;
  /** Where the directories of attempts lie that run as jobs. */
  shared: string | null;
}

/** How the nodes are probed; null: there is no cluster. */
export function probeOf(settings: Settings): (ProbeParts & { client: SlurmClient }) | null {
  const { slurm, paths, host, worker } = settings;
  if (slurm.shared === null) return null;
  const clusters = slurm.clusters ?? '';
  const partition = slurm.partition ?? '';
  return {
    client: new SlurmClient({ user: userInfo().username, clusters }),
    ...{ clock: systemClock, host: host.name },
    to: {
      ...{ partition, account: slurm.account ?? '', qos: slurm.qos ?? '' },
      ...{ reservation: slurm.reservation ?? '', clusters, extra: slurm.extra },
    },
    paths: {
      ...{ shared: slurm.shared, staging: stagingDirectory(paths), live: paths.liveData },
      ...{ partition, clusters },
    },
    python: slurm.python ?? worker.python,
    packageDirectory: join(packageDirectory(), 'worker'),
    setup: slurm.setup ?? '',
  };
}

/** What to do where Slurm takes no job of ours. */
export function clusterRefusal({ partition, account, qos, reservation }: JobDestination): string {
  const said = { partition, account, qos, reservation };
  const set = Object.entries(said).filter(([, value]) => value !== '');
  const named = set.map(([name, value]) => `slurm.${name} (${value})`).join(', ');
  return named === ''
    ? 'set slurm.partition and slurm.account as the site wants them'
    : `correct ${named}, or have the site allow it for this user`;
}

/**
 * The cluster beside this host. One that is switched off is still there for the jobs that run: none is
 * begun, and Slurm is asked only if one is found.
 */
export function clusterOfHost(settings: Settings, tasks: Tasks): ClusterOfHost {
  const { slurm, paths } = settings;
  const { shared, enabled } = slurm;
  const parts = probeOf(settings);
  if (parts === null) return { cluster: null, jobs: null, shared };
  const { client, python, packageDirectory: worker, setup, to, host } = parts;
  const queue = new SlurmQueue(client, systemClock);
  const storage = new StorageWatch(parts, paths.stateDir, () => queue.changed());
  const listing = 'the listing of the jobs';
  if (enabled) {
    tasks.start(listing, () => queue.run(tasks.signal));
    tasks.start('the proof of shared storage', () => storage.run(tasks.signal));
  }
  const cluster = new SlurmExecutor({
    ...{ client, queue, clock: systemClock, host, to, python, packageDirectory: worker, setup },
    ...{ maxJobs: slurm.maxJobs, maxPending: slurm.maxPending },
    submitsPerMinute: slurm.submitsPerMinute,
    script: join(worker, 'bootstrax_worker', 'slurm_job.sh'),
    resourcesOf,
    problem: () => (enabled ? storage.problem : 'Slurm is switched off (slurm.enabled)'),
    sees: (path) => storage.sees(path),
    onFirst: () => {
      if (!enabled) tasks.start(listing, () => queue.run(tasks.signal));
    },
  });
  return { cluster, jobs: enabled ? rulesOf(slurm) : null, shared };
}

function rulesOf(slurm: Settings['slurm']): JobRules {
  return {
    ...{ takes: slurm.takes, live: slurm.live, backlogSeconds: slurm.backlogMinutes * 60 },
    memoryBytes: slurm.memoryGb * 1e9,
    bytesPerMBps: slurm.memoryGbPerMbps * 1e9,
    maxMemoryBytes: slurm.maxMemoryGb * 1e9,
    maxSeconds: slurm.maxHours * 3600,
  };
}

function resourcesOf({ cores, job }: Plan) {
  const { memoryBytes, seconds } = job ?? DEFAULT_JOB;
  return { cores, memoryBytes, seconds };
}
