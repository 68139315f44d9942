import { describe, expect, it } from 'vitest';

import {
  endOfJobs,
  FILES_SECONDS,
  type JobsKnown,
  lifeOfJobs,
} from '../../../../src/executors/slurm/job-life.pure.ts';

const job = (state: string, reason: string | null = null) => ({
  ...{ id: '1', attempt: '0123456789abcdef01234567', state, reason },
  ...{ node: null, start: null, priority: null, partition: 'main', host: 'eb0' },
});
const KNOWN: JobsKnown = {
  ...{ jobs: [], listedAtSeconds: 100, overSinceSeconds: null, nowSeconds: 100 },
  ...{ isBegun: true, isKept: false, hasLastWord: false },
};

describe('the processes of an attempt on Slurm', () => {
  it.each<[string, Partial<JobsKnown>, ReturnType<typeof lifeOfJobs>]>([
    ['wait while the job does', { isBegun: false, jobs: [job('PENDING', 'Priority')] }, 'waiting'],
    ['wait while nobody knows of the job', { isBegun: false }, 'waiting'],
    [
      'wait while the job has not taken the attempt',
      { isBegun: false, jobs: [job('RUNNING')] },
      'waiting',
    ],
    ['run while the job does', { jobs: [job('RUNNING')] }, 'running'],
    ['run while one of two jobs does', { jobs: [job('FAILED'), job('RUNNING')] }, 'running'],
    ['run while they are stopped', { jobs: [job('SUSPENDED')] }, 'running'],
    ['are unknown where Slurm has forgotten the job', {}, 'unknown'],
    ['are unknown where Slurm has never answered', { listedAtSeconds: null }, 'unknown'],
    [
      'are unknown where the node is lost',
      { jobs: [job('NODE_FAIL')], overSinceSeconds: 0, nowSeconds: 1e6 },
      'unknown',
    ],
    ['are unknown in a state that nobody knows', { jobs: [job('MELTED')] }, 'unknown'],
    [
      'count as running until the last files must be there',
      { jobs: [job('FAILED')], overSinceSeconds: 100, nowSeconds: 99 + FILES_SECONDS },
      'running',
    ],
    [
      'are gone after that',
      { jobs: [job('FAILED')], overSinceSeconds: 100, nowSeconds: 100 + FILES_SECONDS },
      'gone',
    ],
    [
      'are gone where the job ended before it had begun',
      { isBegun: false, jobs: [job('FAILED')], overSinceSeconds: 0, nowSeconds: FILES_SECONDS },
      'gone',
    ],
    ['are gone by the last word of the job', { hasLastWord: true }, 'gone'],
    [
      'are gone where no job may begin any more',
      { isKept: true, isBegun: false, jobs: [job('PENDING')] },
      'gone',
    ],
  ])('%s', (_, known, life) => {
    expect(lifeOfJobs({ ...KNOWN, ...known })).toBe(life);
  });

  it.each([
    [[], null],
    [[job('RUNNING')], null],
    [[job('COMPLETED')], 'completed'],
    [[job('COMPLETED'), job('OUT_OF_MEMORY')], 'out_of_memory'],
    [[job('CANCELLED by 0')], 'cancelled'],
  ])('have ended as the worst of the jobs did', (jobs, end) => {
    expect(endOfJobs(jobs)).toBe(end);
  });
});
