/** Where an attempt runs. */
export type ExecutorName = 'local' | 'slurm';
