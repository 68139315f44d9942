import { userInfo } from 'node:os';
import { join } from 'node:path';

import type { Plan } from '../attempt/attempt.pure.ts';
import type { Executor } from '../executors/executor.ts';
import type { JobRules } from '../executors/job-rules.pure.ts';
import { SlurmClient } from '../executors/slurm/slurm-client.ts';
import { SlurmExecutor } from '../executors/slurm/slurm-executor.ts';
import { SlurmQueue } from '../executors/slurm/slurm-queue.ts';
import { systemClock } from '../infra/clock/clock.ts';
import type { Tasks } from '../infra/concurrency/tasks.ts';
import type { Settings } from '../infra/config/entries.ts';
import { packageDirectory } from '../infra/config/paths.ts';

/** What a job asks for where its plan does not say. */
const DEFAULT_JOB = { memoryBytes: 8e9, seconds: 1800 };

export interface ClusterOfHost {
  cluster: Executor | null;
  /** Null: no run becomes a job. */
  jobs: JobRules | null;
  /** Where the directories of attempts lie that run as jobs. */
  shared: string | null;
}

/**
 * The cluster beside this host. One that is switched off is still there for the jobs that run: none is
 * begun, and Slurm is asked only if one is found.
 */
export function clusterOfHost({ slurm, host, worker }: Settings, tasks: Tasks): ClusterOfHost {
  const { shared, enabled } = slurm;
  if (shared === null) return { cluster: null, jobs: null, shared };
  const clusters = slurm.clusters ?? '';
  const client = new SlurmClient({ user: userInfo().username, clusters });
  const queue = new SlurmQueue(client, systemClock);
  const listing = 'the listing of the jobs';
  if (enabled) tasks.start(listing, () => queue.run(tasks.signal));
  const cluster = new SlurmExecutor({
    ...{ client, queue, clock: systemClock, host: host.name },
    to: {
      ...{ partition: slurm.partition ?? '', account: slurm.account ?? '', qos: slurm.qos ?? '' },
      ...{ reservation: slurm.reservation ?? '', clusters, extra: slurm.extra },
    },
    ...{ maxJobs: slurm.maxJobs, maxPending: slurm.maxPending },
    submitsPerMinute: slurm.submitsPerMinute,
    python: slurm.python ?? worker.python,
    packageDirectory: join(packageDirectory(), 'worker'),
    script: join(packageDirectory(), 'worker', 'bootstrax_worker', 'slurm_job.sh'),
    setup: slurm.setup ?? '',
    resourcesOf,
    problem: () => (enabled ? null : 'Slurm is switched off (slurm.enabled)'),
    sees: () => null,
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
