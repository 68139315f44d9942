import { describe, expect, it } from 'vitest';

import { parseListing } from '../../../../src/executors/slurm/job-listing.pure.ts';

const ATTEMPT = '0123456789abcdef01234567';

describe('a listing of jobs', () => {
  it('gives the jobs of attempts, whatever others call theirs', () => {
    const text = [
      `17|RUNNING|None|node1|2026-11-30T11:42:18|4294901759|0:05|365-00:00:00|main|run 7 of eb0|bx-${ATTEMPT}`,
      '18|PENDING|Priority||N/A|12|0:00|1:00|main|(null)|a|name|with bars',
      `19|PENDING|Priority||2026-11-30T12:00:00|12|0:00|1:00|main||bx-${ATTEMPT}-copy`,
      '20_[1-5]|PENDING|Resources||N/A|12|0:00|1:00|main|x|array',
      '',
    ].join('\n');
    expect(parseListing(text)).toEqual([
      {
        ...{ id: '17', attempt: ATTEMPT, state: 'RUNNING', partition: 'main', host: 'eb0' },
        ...{ reason: null, node: 'node1', start: '2026-11-30T11:42:18', priority: 4294901759 },
      },
    ]);
  });

  it('is empty without jobs', () => {
    expect(parseListing('')).toEqual([]);
  });

  it.each(['slurm_load_jobs error: Unable to contact slurm controller', '17|RUNNING|None|nod'])(
    'that is none is refused as a whole: %s',
    (text) => {
      expect(() => parseListing(text)).toThrow('squeue gave a line that is no job');
    },
  );
});
