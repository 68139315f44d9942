/** Words of a controller that has read a submission and does not take it (`slurm_strerror`). */
const REFUSALS = [
  /Invalid (account|partition|qos|reservation|feature|wckey|node name|generic resource)/i,
  /Access\/permission denied/i,
  /Requested (node configuration|time limit|partition configuration|reservation|operation)/i,
  /Memory (specification|required)/i,
  /CPU count per node can ?not be satisfied/i,
  /More processors requested than permitted|CPU count (per node )?specification invalid/i,
  /not permitted to use this partition|may not be used with this partition/i,
  /Job violates (accounting|account)/i,
  /unrecognized option|invalid option|Unable to open file|Invalid --/i,
];

/**
 * Whether `sbatch` says that no job exists: the site's configuration or a limit is in the way. Any
 * other message may come after the controller has accepted it.
 */
export function isRefusal(message: string): boolean {
  return REFUSALS.some((each) => each.test(message));
}
