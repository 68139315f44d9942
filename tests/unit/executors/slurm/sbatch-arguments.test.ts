import { describe, expect, it } from 'vitest';

import { sbatchArguments } from '../../../../src/executors/slurm/sbatch-arguments.pure.ts';
import { problemOfExtra } from '../../../../src/infra/config/sbatch-extra.pure.ts';

const ATTEMPT = '0123456789abcdef01234567';
const NOWHERE = { partition: '', account: '', qos: '', reservation: '', clusters: '', extra: [] };
const SUBMISSION = {
  ...{ attempt: ATTEMPT, run: 17, host: 'eb0', script: '/opt/job.sh', directory: '/shared/a b' },
  resources: { cores: 4, memoryBytes: 9_200_000_000, seconds: 10_801 },
  excluded: [],
};

describe('the arguments of sbatch', () => {
  it('carry the name of the attempt, and the script with its folder as the last ones', () => {
    const args = sbatchArguments(SUBMISSION, NOWHERE);
    expect(args).toContain(`--job-name=bx-${ATTEMPT}`);
    expect(args).toContain('--comment=run 17 of eb0');
    expect(args).toContain('--mem=8774M');
    expect(args).toContain('--time=181');
    expect(args.slice(-2)).toEqual(['/opt/job.sh', '/shared/a b']);
    expect(args.some((each) => /^--(partition|account|qos|exclude)/.test(each))).toBe(false);
  });

  it('carry what the site and the attempt say of where the job goes', () => {
    const to = { ...NOWHERE, partition: 'xenon1t', account: 'pi', extra: ['--constraint=cvmfs'] };
    const args = sbatchArguments({ ...SUBMISSION, excluded: ['n1', 'n2'] }, to);
    for (const each of [
      '--partition=xenon1t',
      '--account=pi',
      '--exclude=n1,n2',
      '--constraint=cvmfs',
    ]) {
      expect(args).toContain(each);
    }
  });

  it('exclude the nodes of the site and those of the attempt, since Slurm takes the last list only', () => {
    const to = { ...NOWHERE, extra: ['--exclude=a[1-3]', '--nice=5', '-xb'] };
    const args = sbatchArguments({ ...SUBMISSION, excluded: ['n1'] }, to);
    expect(args.filter((each) => /^(--exclude|-x)/.test(each))).toEqual(['--exclude=a[1-3],b,n1']);
    expect(args).toContain('--nice=5');
  });

  it('are refused for an attempt whose id is none', () => {
    expect(() => sbatchArguments({ ...SUBMISSION, attempt: 'x; rm -rf /' }, NOWHERE)).toThrow(
      'no attempt has the id',
    );
  });
});

describe('further arguments of a site', () => {
  it.each(['--constraint=cvmfs', '--exclude=node[028-030]', '-C', '--licenses=a', '--nice=5'])(
    'may be %s',
    (item) => {
      expect(problemOfExtra([item])).toBeNull();
    },
  );

  it.each([
    '--job-name=x',
    '--job=x',
    '--wrap=rm',
    '--export=ALL',
    '-o/tmp/x',
    '-J',
    '--uid=0',
    '--requeue',
    '--exp=ALL',
    '-D/',
  ])('may not be %s, which is ours', (item) => {
    expect(problemOfExtra([item])).toContain('which bootstrax sets itself');
  });

  it('are options, an item each', () => {
    expect(problemOfExtra(['--nice', '5'])).toContain('is no option');
    expect(problemOfExtra(['; rm -rf /'])).toContain('is no option');
  });
});
