import { describe, expect, it } from 'vitest';

import type { ListedJob } from '../../../../src/executors/slurm/job-listing.pure.ts';
import { type JobFacts, verdictOf } from '../../../../src/executors/slurm/job-verdict.pure.ts';

const job = (state: string, reason: string | null = null): ListedJob => ({
  ...{ id: '7', attempt: 'a', state, reason, node: 'n1', start: null, priority: 1 },
  ...{ partition: 'main', host: 'eb' },
});
const said = (facts: Partial<JobFacts>) =>
  verdictOf({ jobs: [], isBegun: true, node: 'n1', exit: null, output: '', ...facts });
const OVER = { code: 1, stopped: null } as const;
const problem = (reason: RegExp) => ({
  kind: 'ended',
  ended: { kind: 'host_problem', reason: expect.stringMatching(reason) as string },
});

describe('why the jobs of an attempt ended', () => {
  it.each<[string, Partial<JobFacts>, unknown]>([
    ['nothing is known', {}, null],
    ['it runs', { jobs: [job('RUNNING')] }, null],
    ['it has ended, and its files say how', { jobs: [job('FAILED')], exit: OVER }, null],
    [
      'too slow, by Slurm',
      { jobs: [job('TIMEOUT')] },
      { kind: 'ended', ended: { kind: 'timed_out', which: 'processing' } },
    ],
    [
      'too slow, by its shell',
      { exit: { code: 143, stopped: 'time_limit' } },
      { kind: 'ended', ended: { kind: 'timed_out', which: 'processing' } },
    ],
    ['out of memory', { jobs: [job('OUT_OF_MEMORY')] }, { kind: 'out_of_memory' }],
    [
      'out of memory, where Slurm says only that it failed',
      {
        jobs: [job('FAILED', 'JobLaunchFailure')],
        output: 'slurmstepd: error: Exceeded job memory limit',
      },
      { kind: 'out_of_memory' },
    ],
    ['its node is lost', { jobs: [job('NODE_FAIL')] }, { kind: 'lost', node: 'n1' }],
    [
      'its node was lost before it began',
      { jobs: [job('NODE_FAIL')], isBegun: false },
      problem(/node of its job was lost/),
    ],
    [
      'cancelled by somebody',
      { jobs: [job('CANCELLED by 0')] },
      { kind: 'ended', ended: { kind: 'operator', reason: 'its job was cancelled in Slurm' } },
    ],
    ['preempted', { jobs: [job('PREEMPTED')] }, problem(/make room/)],
    [
      'it will never begin',
      { jobs: [job('PENDING', 'PartitionTimeLimit')], isBegun: false },
      problem(/PartitionTimeLimit/),
    ],
    [
      'Slurm has requeued it',
      { jobs: [job('REQUEUE_HOLD')], isBegun: false },
      problem(/back into its queue/),
    ],
    [
      'its folder or setup failed',
      {
        jobs: [job('FAILED')],
        isBegun: false,
        exit: { code: 78, stopped: null },
        output: 'no module strax',
      },
      problem(/exit code 78\): no module strax/),
    ],
    ['of two jobs one still waits', { jobs: [job('CANCELLED'), job('PENDING')] }, null],
    ['a state of a later Slurm', { jobs: [job('SOMETHING_NEW')] }, null],
  ])('%s', (_, facts, verdict) => {
    expect(said(facts)).toEqual(verdict);
  });
});
