import { describe, expect, it } from 'vitest';

import { SEARCH_SECONDS, searchJob } from '../../../../src/executors/slurm/job-search.pure.ts';

const attempt = '0123456789abcdef01234567';
const job = {
  ...{ id: '5', attempt, state: 'PENDING', partition: 'main', host: 'eb0' },
  ...{ reason: null, node: null, start: null, priority: null },
};
const trace = { attempt, begun: false, missingSince: null };

describe('the search for a job that may have been submitted', () => {
  it('asks Slurm for nothing that the files tell', () => {
    expect(searchJob({ ...trace, begun: true }, { jobs: [], at: 0 })).toEqual({ kind: 'begun' });
  });

  it('finds it by its name, twice if it was submitted twice', () => {
    const jobs = [job, { ...job, id: '6' }, { ...job, attempt: 'f'.repeat(24) }];
    expect(searchJob(trace, { jobs, at: 0 })).toEqual({ kind: 'found', jobs: jobs.slice(0, 2) });
  });

  it('gives it up only after two answers without it, a minute apart', () => {
    const first = searchJob(trace, { jobs: [], at: 100 });
    expect(first).toEqual({ kind: 'missing', since: 100 });
    const since = { ...trace, missingSince: 100 };
    const soon = { jobs: [], at: 100 + SEARCH_SECONDS - 1 };
    expect(searchJob(since, soon)).toEqual({ kind: 'missing', since: 100 });
    expect(searchJob(since, { jobs: [], at: 100 + SEARCH_SECONDS })).toEqual({ kind: 'lost' });
    expect(searchJob(since, { jobs: [job], at: 900 })).toMatchObject({ kind: 'found' });
  });
});
