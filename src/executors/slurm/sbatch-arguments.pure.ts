import type { JobResources } from '../../plan/job-resources.pure.ts';
import { commentOf, jobNameOf } from './job-name.pure.ts';

/** Where jobs go: the site's words, none of a run. */
export interface JobDestination {
  /** Empty: the cluster's default. */
  partition: string;
  account: string;
  qos: string;
  reservation: string;
  clusters: string;
  /** Further arguments, an item each. */
  extra: readonly string[];
}

export interface JobSubmission {
  attempt: string;
  /** Null: it is a probe of the nodes. */
  run: number | null;
  /** Host name of the manager. */
  host: string;
  /** Script that each job runs, and the folder of the attempt, its only argument. */
  script: string;
  directory: string;
  resources: JobResources;
  /** Nodes that this attempt must not use. */
  excluded: readonly string[];
}

/** Stacks are kept this long before Slurm ends a job for its time. */
const WARNING_SECONDS = 60;

/** Arguments of `sbatch`, no shell between: nothing of a run but its number is in them. */
export function sbatchArguments(submission: JobSubmission, to: JobDestination): string[] {
  const { attempt, run, host, script, directory, resources, excluded } = submission;
  return [
    ...['--parsable', '--no-requeue', '--export=NONE', '--open-mode=append', '--input=none'],
    `--job-name=${jobNameOf(attempt)}`,
    `--comment=${commentOf(run, host)}`,
    `--output=${directory}/job.log`,
    `--chdir=${directory}`,
    ...['--nodes=1', '--ntasks=1', `--cpus-per-task=${resources.cores}`],
    `--mem=${Math.ceil(resources.memoryBytes / 1_048_576)}M`,
    `--time=${Math.ceil(resources.seconds / 60)}`,
    `--signal=B:USR1@${WARNING_SECONDS}`,
    ...option('partition', to.partition),
    ...option('account', to.account),
    ...option('qos', to.qos),
    ...option('reservation', to.reservation),
    ...option('clusters', to.clusters),
    ...option('exclude', [...excludedBy(to.extra), ...excluded].join(',')),
    ...to.extra.filter((item) => !EXCLUDE.test(item)),
    script,
    directory,
  ];
}

/** Of several such options Slurm takes the last one only. */
const EXCLUDE = /^(?:--exc(?:l(?:u(?:de?)?)?)?=|-x)/;

function excludedBy(extra: readonly string[]): string[] {
  return extra.filter((item) => EXCLUDE.test(item)).map((item) => item.replace(EXCLUDE, ''));
}

function option(name: string, value: string): string[] {
  return value === '' ? [] : [`--${name}=${value}`];
}
