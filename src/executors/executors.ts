import type { Executor } from './executor.ts';
import type { ExecutorName } from './executor-name.pure.ts';

/** The executors of one manager. */
export interface Executors {
  /** This machine. */
  executor: Executor;
  /** A cluster beside it; null: there is none. */
  cluster: Executor | null;
}

/**
 * The executor of an attempt by what its plan says.
 *
 * @throws {Error} if it is a cluster that this manager does not have.
 */
export function executorOf(
  { executor, cluster }: Executors,
  plan: { executor?: ExecutorName | null | undefined } | null,
): Executor {
  if (plan?.executor !== 'slurm') return executor;
  if (cluster === null) throw new Error('an attempt was begun on a cluster, and there is none');
  return cluster;
}
