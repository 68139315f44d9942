import { z } from 'zod';

import {
  boolean,
  choices,
  list,
  number,
  optionalCommand,
  optionalPath,
  optionalText,
} from './setting.pure.ts';

/** Runs that Slurm may take. */
export const SLURM_TAKES = ['debt', 'reprocess', 'backlog'] as const;

const count = z.int().positive();
const notNegative = z.number().nonnegative();
const positive = z.number().positive();

/** Attempts as jobs of a Slurm cluster, beside those on this host. */
export const SLURM_SETTINGS = z.strictObject({
  slurm: z.strictObject({
    enabled: boolean({
      default: false,
      description:
        'Process runs as jobs of Slurm as well, where this host cannot do it soon: see [Slurm](slurm.md). Without it nothing of Slurm is called.',
    }),
    shared: optionalPath({
      description:
        'Folder for the attempts that run as jobs, on storage that this host and the nodes see under the same path, on the file system of `paths.output`.',
    }),
    partition: optionalText({ description: 'Partition of the jobs.' }),
    account: optionalText({ description: 'Account that the jobs are charged to.' }),
    qos: optionalText({ description: 'Quality of service of the jobs.' }),
    reservation: optionalText({ description: 'Reservation in which the jobs run.' }),
    clusters: optionalText({
      description: 'Name of the cluster, if it is not the one of this host.',
    }),
    extra: list({
      default: [],
      description:
        'Further options of `sbatch`, an item each, such as `--constraint=cvmfs`. Options that bootstrax sets itself are refused.',
    }),
    setup: optionalPath({
      description:
        'Script that each job reads before it begins, for `module load` and the like. It must belong to root or to the user of the manager.',
    }),
    python: optionalCommand({
      description: 'Python interpreter on the nodes. By default it is `worker.python`.',
    }),
    maxJobs: number(count, {
      default: 20,
      description: 'Jobs of this host that wait or run at the same time.',
    }),
    maxPending: number(count, {
      default: 4,
      description:
        'Jobs of this host that wait in Slurm. It is small on purpose: the queue stays in the database, where live runs go first.',
    }),
    submitsPerMinute: number(positive, {
      default: 20,
      description: 'Jobs submitted within a minute.',
    }),
    memoryGb: number(positive, {
      default: 8,
      unit: 'GB',
      description:
        'Memory that the first job of a run asks for, and a margin of 15 %. Later jobs ask for what the run has used and a margin, and for more after one ran out of it.',
    }),
    memoryGbPerMbps: number(notNegative, {
      default: 0.03,
      unit: 'GB per MB/s',
      description: 'Memory that the first job of a run asks for in addition, for its data rate.',
    }),
    maxMemoryGb: number(positive, {
      default: 64,
      unit: 'GB',
      description: 'Memory that a job asks for after others ran out of memory.',
    }),
    maxHours: number(positive, {
      default: 24,
      unit: 'h',
      description: 'Time that a job asks for. It should not be above the limit of the partition.',
    }),
    takes: choices(SLURM_TAKES, {
      default: [...SLURM_TAKES],
      description:
        'Which runs may become jobs: `debt` is what done runs lack, `reprocess` a run that a person had processed again, `backlog` a run that ended long ago and finds no free place.',
    }),
    backlogMinutes: number(positive, {
      default: 60,
      unit: 'min',
      description: 'A run that ended this long ago, and was not taken, is backlog.',
    }),
    live: boolean({
      default: false,
      description:
        'Let Slurm take a run also before that, if no host has had a free place for 10 minutes.',
    }),
  }),
});
