/** Which runs may become jobs of a cluster, and what a job may ask for. */
export interface JobRules {
  takes: readonly ('debt' | 'reprocess' | 'backlog')[];
  /** A run that ended this long ago is backlog. */
  backlogSeconds: number;
  /** Runs are taken before that where no host has a place. */
  live: boolean;
  /** The first job of a run asks for this. */
  memoryBytes: number;
  /** And for this in addition, for each MB/s of its data rate. */
  bytesPerMBps: number;
  maxMemoryBytes: number;
  maxSeconds: number;
}
