/** How a cluster is, for people, metrics and alarms. */
export interface ClusterFacts {
  /** Empty: the cluster of this host. */
  name: string;
  /** Why no job is begun; null: jobs are begun. */
  whyNot: string | null;
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
