/** Words of a controller that has looked at a submission and does not take it (`slurm_strerror`). */
const REFUSALS = [
  /Invalid (account|partition|qos|QOS|reservation|feature|wckey|node name|generic resource)/,
  /Access\/permission denied/,
  /Requested (node configuration|time limit|partition configuration|reservation|operation)/,
  /Memory (specification|required)/,
  /More processors requested than permitted|CPU count (per node )?specification invalid/,
  /not permitted to use this partition|may not be used with this partition/,
  /Job violates (accounting|account)/,
  /unrecognized option|invalid option|Unable to open file|Invalid --/i,
];

/**
 * Whether `sbatch` says that no job exists: the site's configuration or a limit is in the way. Any
 * other message may come after the controller has accepted it.
 */
export function isRefusal(message: string): boolean {
  return REFUSALS.some((each) => each.test(message));
}
