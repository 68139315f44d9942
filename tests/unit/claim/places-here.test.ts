import { beforeEach, describe, expect, it } from 'vitest';

import type { AttemptBook } from '../../../src/attempt/attempt-book.ts';
import { PlacesHere } from '../../../src/claim/places-here.ts';
import type { JobRules } from '../../../src/executors/job-rules.pure.ts';
import { defaultRules } from '../../../src/infra/config/rules.pure.ts';
import type { Environment } from '../../../src/ports/environment.ts';
import type { Run } from '../../../src/run/run.pure.ts';

const JOBS: JobRules = {
  ...{ takes: ['debt', 'reprocess', 'backlog'], live: true, backlogSeconds: 3600 },
  ...{ memoryBytes: 8e9, bytesPerMBps: 0, maxMemoryBytes: 64e9, maxSeconds: 86_400 },
};
const NOW = new Date('2026-01-01T00:00:00Z');

let seconds: number;
let taken: number;
/** Newest first. */
let history: object[];
let reads: number;
let sees: boolean | null;

function places(jobs: JobRules | null = JOBS): PlacesHere {
  const cluster = {
    places: () => ({ total: 20, free: 4, why: null }),
    ready: () => ({ ok: true }),
    sees: () => sees,
  };
  const env = {
    ...{ host: 'eb', jobs, cluster: jobs === null ? null : cluster, rules: defaultRules },
    ...{ clock: { monotonicSeconds: () => seconds, now: () => NOW }, liveDataRoots: ['/live'] },
    machine: { memoryCapacity: () => ({ totalBytes: 16e9, availableBytes: 16e9 }) },
    store: { attempts: { ofRun: () => Promise.resolve((reads++, history)) } },
  } as unknown as Environment;
  const book = { sizeOn: (on: string) => (on === 'local' ? taken : 0) } as unknown as AttemptBook;
  return new PlacesHere(env, book, () => 1);
}

function run(endedSecondsAgo: number, bootstrax: Partial<Run['bootstrax']> = {}): Run {
  return {
    ...{ number: 7, runId: '000007', liveLocation: '/live' },
    end: new Date(NOW.getTime() - endedSecondsAgo * 1000),
    bootstrax: { failures: 0, ...bootstrax },
  } as unknown as Run;
}

beforeEach(() => {
  [seconds, taken, history, reads, sees] = [1000, 0, [], 0, true];
});

describe('where a run goes from here', () => {
  it('is Slurm before it is backlog once no host has had a free place for ten minutes', async () => {
    taken = 1;
    const here = places();
    const after = async (isAnyFree: boolean, passed: number) => {
      seconds += passed;
      here.seenFleet({ isAnyFree, hasOtherCluster: false });
      return (await here.placeOf(run(60), NOW)).on;
    };
    expect(await after(false, 0)).toBe('nowhere');
    for (let n = 0; n < 9; n++) expect(await after(false, 60)).toBe('nowhere');
    expect(await after(false, 60)).toBe('slurm');
    expect(await after(true, 60)).toBe('nowhere');
    expect(await after(false, 60)).toBe('nowhere');
    // What was not read for long may have been otherwise meanwhile.
    expect(await after(false, 3600)).toBe('nowhere');
  });

  it('is Slurm for what has run out of memory that a place here has, and is read of failed runs only', async () => {
    history = [{ plan: {}, result: { cause: 'memory_limit', peakMemoryBytes: 14e9 } }];
    expect((await places().placeOf(run(60), NOW)).on).toBe('local');
    expect(reads).toBe(0);
    const again = run(60, { failures: 1 });
    expect(await places().placeOf(again, NOW)).toMatchObject({ on: 'slurm', why: /memory/ });
    history = [{ plan: {}, result: { cause: 'timed_out', peakMemoryBytes: 14e9 } }, ...history];
    expect((await places().placeOf(again, NOW)).on).toBe('local');
  });

  it('is this host alone where the nodes do not see the live data', async () => {
    taken = 1;
    expect((await places().placeOf(run(1e5), NOW)).on).toBe('slurm');
    sees = false;
    expect(await places().placeOf(run(1e5), NOW)).toEqual({
      ...{ on: 'nowhere', why: 'the nodes of the cluster do not see its live data, /live/000007' },
    });
  });

  it('is another host where a person wants Slurm, and only the other host has it', async () => {
    const here = places(null);
    const wanted = run(60, { wantedOn: 'slurm' });
    expect((await here.placeOf(wanted, NOW)).on).toBe('local');
    here.seenFleet({ isAnyFree: true, hasOtherCluster: true });
    expect((await here.placeOf(wanted, NOW)).on).toBe('nowhere');
    expect((await here.placeOf(run(60), NOW)).on).toBe('local');
    seconds += 1000;
    expect((await here.placeOf(wanted, NOW)).on).toBe('local');
  });

  it('stays Slurm for a job that waits where a place here has too little memory', () => {
    expect(places().isBetterHere(run(1e5), 61, null)).toBe(false);
    seconds += 4000;
    const quiet = places();
    seconds += 4000;
    expect(quiet.isBetterHere(run(1e5), 61, null)).toBe(true);
    expect(quiet.isBetterHere(run(1e5), 59, null)).toBe(false);
    expect(quiet.isBetterHere(run(1e5), 61, 20e9)).toBe(false);
  });
});
