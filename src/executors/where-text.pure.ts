import type { Where } from './reach.pure.ts';

/** Where an attempt is or waits, as its run and people are told. */
export function whereText(where: Where, { withJob = true } = {}): string {
  if (where.executor === 'local') return 'this host';
  const { job, node, state, reason, cluster } = where;
  const named = job === null || !withJob ? 'its job' : `its job ${job}`;
  const on = cluster === '' ? 'Slurm' : `Slurm (${cluster})`;
  if (node !== null) return `${named} in ${on} on ${node}`;
  const why = [state, reason].filter((word) => word !== null).join(', ');
  return `${named} in ${on} to begin${why === '' ? '' : ` (${why})`}`;
}
