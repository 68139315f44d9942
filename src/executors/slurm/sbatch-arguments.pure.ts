import { commentOf, jobNameOf } from './job-name.pure.ts';
import type { JobResources } from './job-resources.pure.ts';

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
  run: number;
  /** Host name of the manager. */
  host: string;
  /** Script that each job runs, and the folder of the attempt, its only argument. */
  script: string;
  directory: string;
  resources: JobResources;
  /** Nodes that this attempt must not use. */
  excluded: readonly string[];
}

/** What these options say is ours to say; `man sbatch`. */
const OURS = [
  ...['job-name', 'output', 'error', 'input', 'export', 'export-file', 'wrap', 'requeue', 'uid'],
  ...['no-requeue', 'gid', 'chdir', 'parsable', 'array', 'comment', 'signal', 'test-only', 'wait'],
  ...[
    'open-mode',
    'dependency',
    'cpus-per-task',
    'ntasks',
    'mem',
    'time',
    'nodes',
    'help',
    'usage',
  ],
  ...[
    'partition',
    'account',
    'qos',
    'reservation',
    'clusters',
    'propagate',
    'get-user-env',
    'begin',
  ],
  ...['mem-per-cpu', 'hold', 'quiet', 'version'],
];
const OUR_LETTERS = 'JoeidDacnNtpAqMLHWhVQb';

/** Stacks are kept this long before Slurm ends a job for its time, seconds. */
const WARNING_SECONDS = 60;

/** What is wrong with the items of `slurm.extra`; null if nothing is. */
export function problemOfExtra(extra: readonly string[]): string | null {
  for (const item of extra) {
    if (!/^--?[A-Za-z]/.test(item)) {
      return `${JSON.stringify(item)} is no option: write each option and its value as one item, "--constraint=cvmfs"`;
    }
    // Slurm takes any beginning of a long option that is unambiguous.
    const [name = ''] = item.replace(/^--?/, '').split('=');
    const long = item.startsWith('--');
    const taken = long
      ? OURS.find((each) => each.startsWith(name))
      : OUR_LETTERS.includes(item[1] ?? '')
        ? item.slice(0, 2)
        : undefined;
    if (taken !== undefined) {
      return `${JSON.stringify(item)} sets ${long ? `--${taken}` : taken}, which bootstrax sets itself`;
    }
  }
  return null;
}

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
    ...option('exclude', excluded.join(',')),
    ...to.extra,
    script,
    directory,
  ];
}

function option(name: string, value: string): string[] {
  return value === '' ? [] : [`--${name}=${value}`];
}
