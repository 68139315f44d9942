/** What these options of `sbatch` say is ours to say; `man sbatch`. */
const OURS = [
  ...['job-name', 'output', 'error', 'input', 'export', 'export-file', 'wrap', 'requeue', 'uid'],
  ...['no-requeue', 'gid', 'chdir', 'parsable', 'array', 'comment', 'signal', 'test-only', 'wait'],
  ...['open-mode', 'dependency', 'cpus-per-task', 'ntasks', 'mem', 'time', 'nodes', 'help'],
  ...['usage', 'partition', 'account', 'qos', 'reservation', 'clusters', 'propagate'],
  ...['get-user-env', 'begin', 'mem-per-cpu', 'hold', 'quiet', 'version'],
];
const OUR_LETTERS = 'JoeidDacnNtpAqMLHWhVQb';

/** What is wrong with the items of `slurm.extra`; null if nothing is. */
export function problemOfExtra(extra: readonly string[]): string | null {
  for (const item of extra) {
    if (!/^--?[A-Za-z]/.test(item)) {
      return `${JSON.stringify(item)} is no option: write each option and its value as one item, "--constraint=cvmfs"`;
    }
    // Slurm takes any beginning of a long option that is unambiguous.
    const [name = ''] = item.replace(/^--?/, '').split('=');
    const taken = item.startsWith('--')
      ? OURS.filter((each) => each.startsWith(name)).map((each) => `--${each}`)
      : [...OUR_LETTERS].filter((letter) => letter === item[1]).map((letter) => `-${letter}`);
    if (taken[0] !== undefined) {
      return `${JSON.stringify(item)} sets ${taken[0]}, which bootstrax sets itself`;
    }
  }
  return null;
}
