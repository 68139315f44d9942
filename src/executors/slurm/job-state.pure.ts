/** Why a job is over, as far as Slurm knows. The files of the attempt win over all of it. */
export type JobEnd =
  'completed' | 'failed' | 'out_of_memory' | 'too_slow' | 'node_lost' | 'preempted' | 'cancelled';

/** What the state of a job means for its attempt. */
export type JobStanding =
  | { kind: 'waits' }
  /** It waits for a reason that only people can remove: the cluster takes no attempt like this one. */
  | { kind: 'never_begins'; reason: string }
  | { kind: 'runs' }
  /** Its processes are stopped: the attempt's clocks stand still. */
  | { kind: 'stands_still' }
  | { kind: 'over'; end: JobEnd }
  /** Slurm would start it once more, which only we do. */
  | { kind: 'requeued' }
  /** A word of a later Slurm. */
  | { kind: 'unknown' };

/** Job states of Slurm 20.11 to 25.05 (`man squeue`, "JOB STATE CODES"). */
const STANDINGS: Readonly<Record<string, JobStanding>> = {
  PENDING: { kind: 'waits' },
  CONFIGURING: { kind: 'waits' },
  RESV_DEL_HOLD: { kind: 'never_begins', reason: 'its reservation was deleted' },
  RUNNING: { kind: 'runs' },
  COMPLETING: { kind: 'runs' },
  SIGNALING: { kind: 'runs' },
  STAGE_OUT: { kind: 'runs' },
  RESIZING: { kind: 'runs' },
  SUSPENDED: { kind: 'stands_still' },
  STOPPED: { kind: 'stands_still' },
  COMPLETED: { kind: 'over', end: 'completed' },
  FAILED: { kind: 'over', end: 'failed' },
  OUT_OF_MEMORY: { kind: 'over', end: 'out_of_memory' },
  TIMEOUT: { kind: 'over', end: 'too_slow' },
  DEADLINE: { kind: 'over', end: 'too_slow' },
  NODE_FAIL: { kind: 'over', end: 'node_lost' },
  BOOT_FAIL: { kind: 'over', end: 'node_lost' },
  LAUNCH_FAILED: { kind: 'over', end: 'node_lost' },
  PREEMPTED: { kind: 'over', end: 'preempted' },
  REVOKED: { kind: 'over', end: 'preempted' },
  CANCELLED: { kind: 'over', end: 'cancelled' },
  REQUEUED: { kind: 'requeued' },
  REQUEUE_FED: { kind: 'requeued' },
  REQUEUE_HOLD: { kind: 'requeued' },
  SPECIAL_EXIT: { kind: 'requeued' },
};

/**
 * Reasons for which a job waits until a person changes something (`man squeue`, "JOB REASON CODES",
 * and the words in libslurmfull): a limit of each job or node, a share that is used up, a hold.
 */
const NEVER_ENDS = [
  /^(BadConstraints|DependencyNeverSatisfied|JobHeldAdmin)$/,
  /^(InvalidAccount|InvalidQOS|AccountNotAllowed|QOSNotAllowed)$/,
  /^Partition(TimeLimit|NodeLimit|Inactive|Config)$/,
  /^(Assoc|QOS)Max\w*Per(Job|Node)(Limit)?$/,
  /^QOSMin/,
  /^AssocGrp/,
  /^QOSGrp\w*Minutes(Limit)?$/,
];

/** What Slurm's words for a job mean; never throws. */
export function standingOf(state: string, reason: string | null): JobStanding {
  // As in `CANCELLED by 1000`.
  const [word = ''] = state.split(/[ +]/);
  const standing = Object.hasOwn(STANDINGS, word) ? STANDINGS[word] : undefined;
  if (standing === undefined) return { kind: 'unknown' };
  if (
    standing.kind === 'waits' &&
    reason !== null &&
    NEVER_ENDS.some((each) => each.test(reason))
  ) {
    return { kind: 'never_begins', reason };
  }
  return standing;
}
