import { roughly } from '../infra/values/amounts.pure.ts';
import { counted } from '../infra/values/counted.pure.ts';
import type { HostCard } from './hosts.pure.ts';

/** What is wrong with the cluster of a host; the rest of an item is the same for all of them. */
export interface ClusterTrouble {
  kind: 'cluster_blocked' | 'node_excluded' | 'job_waits';
  what: string;
  todo: string;
  occurrence: string;
}

/** Slurm that takes no job is told after this time: a probe or a restart takes minutes. */
const BLOCKED_SECONDS = 600;
/** A job that has waited for this time. */
const LONG_WAIT_SECONDS = 6 * 3600;

export function clusterTrouble({ host, cluster }: Pick<HostCard, 'host' | 'cluster'>) {
  const found: ClusterTrouble[] = [];
  if (cluster === undefined) return found;
  const { whyNot, blockedSeconds, oldestWaitSeconds, waiting, nodes } = cluster;
  if (whyNot !== null && (blockedSeconds ?? 0) >= BLOCKED_SECONDS) {
    found.push({
      kind: 'cluster_blocked',
      what: `${host} begins no job in Slurm: ${whyNot}.`,
      todo: "Its own places go on. 'bootstrax doctor --slurm' on that host says what is wrong.",
      occurrence: whyNot,
    });
  }
  const excluded = nodes.filter(({ excludedForSeconds }) => excludedForSeconds !== null);
  for (const { node, failures, excludedForSeconds } of excluded) {
    found.push({
      kind: 'node_excluded',
      what: `${node} gets no job of ${host} for ${roughly(excludedForSeconds ?? 0)}: ${counted(failures, 'job')} failed for its sake.`,
      todo: 'Tell those who run the cluster. It gets jobs again by itself.',
      occurrence: node,
    });
  }
  if (oldestWaitSeconds !== null && oldestWaitSeconds >= LONG_WAIT_SECONDS) {
    found.push({
      kind: 'job_waits',
      what: `A job of ${host} has waited in Slurm for ${roughly(oldestWaitSeconds)}; ${counted(waiting, 'waits', 'wait')} there.`,
      todo: 'Look at squeue --start. A hold or drain takes the runs back.',
      occurrence: host,
    });
  }
  // One item of a kind: the others are named in it.
  return found.filter(({ kind }, at) => found.findIndex((each) => each.kind === kind) === at);
}
