import { roughly } from '../infra/values/amounts.pure.ts';
import { fieldsOf } from '../infra/values/bson-values.pure.ts';
import { counted } from '../infra/values/counted.pure.ts';

/** How a cluster is, for people, metrics and alarms. */
export interface ClusterFacts {
  /** Empty: the cluster of this host. */
  name: string;
  /** Why no job is begun; null: jobs are begun. */
  whyNot: string | null;
  /** For how long no job could be begun. */
  blockedSeconds: number | null;
  /** Jobs of this host. */
  running: number;
  waiting: number;
  /** The most that may be there at the same time. */
  most: number;
  /** Of the job that has waited longest; null: none waits. */
  oldestWaitSeconds: number | null;
  /** Since Slurm last answered; null: it never has. */
  silentSeconds: number | null;
  /** Nodes on which jobs of this host run, and those that get none for a while. */
  nodes: readonly ClusterNode[];
}

export interface ClusterNode {
  node: string;
  /** Jobs of this host that run there. */
  running: number;
  /** Of the last two hours, of those that count against the node. */
  failures: number;
  /** It gets no job for this time; null: it gets jobs. */
  excludedForSeconds: number | null;
}

const MOST_NODES = 50;
const LONGEST_TEXT = 500;

/** From a host's document; null: it has no cluster, or its release does not say. */
export function clusterFactsOf(value: unknown): ClusterFacts | null {
  const fields = fieldsOf(value);
  const { name, whyNot, nodes } = fields;
  if (typeof name !== 'string') return null;
  return {
    name: name.slice(0, LONGEST_TEXT),
    whyNot: typeof whyNot === 'string' ? whyNot.slice(0, LONGEST_TEXT) : null,
    blockedSeconds: numberOf(fields['blockedSeconds']),
    ...{ running: numberOf(fields['running']) ?? 0, waiting: numberOf(fields['waiting']) ?? 0 },
    most: numberOf(fields['most']) ?? 0,
    oldestWaitSeconds: numberOf(fields['oldestWaitSeconds']),
    silentSeconds: numberOf(fields['silentSeconds']),
    nodes: Array.isArray(nodes) ? nodes.slice(0, MOST_NODES).flatMap(nodeOf) : [],
  };
}

function nodeOf(value: unknown): ClusterNode[] {
  const fields = fieldsOf(value);
  const { node } = fields;
  if (typeof node !== 'string') return [];
  return [
    {
      node: node.slice(0, LONGEST_TEXT),
      ...{ running: numberOf(fields['running']) ?? 0, failures: numberOf(fields['failures']) ?? 0 },
      excludedForSeconds: numberOf(fields['excludedForSeconds']),
    },
  ];
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** For people: one line about a cluster. */
export function clusterText(facts: ClusterFacts): string {
  const { name, whyNot, running, waiting, most, oldestWaitSeconds, nodes } = facts;
  const longest = oldestWaitSeconds === null ? '' : ` (longest ${roughly(oldestWaitSeconds)})`;
  const on = nodes.filter((node) => node.running > 0).map((node) => `${node.node} ${node.running}`);
  const where = on.length === 0 ? '' : `: ${on.join(', ')}`;
  return [
    `Slurm${name === '' ? '' : ` (${name})`}`,
    `${running} of at most ${counted(most, 'job')} ${running === 1 ? 'runs' : 'run'}${where}`,
    `${counted(waiting, 'waits', 'wait')}${longest}`,
    ...nodes.flatMap(excludedText),
    ...(whyNot === null ? [] : [`no job is begun: ${whyNot}`]),
  ].join('; ');
}

function excludedText({ node, failures, excludedForSeconds }: ClusterNode): string[] {
  if (excludedForSeconds === null) return [];
  return [
    `${node} gets none for ${roughly(excludedForSeconds)}, after ${counted(failures, 'failure')}`,
  ];
}
