import { describe, expect, it } from 'vitest';

import { failureGroups } from '../../../src/readmodel/failures.pure.ts';
import { hostOrRun, type TriedOn } from '../../../src/readmodel/host-or-run.pure.ts';
import { hostScores } from '../../../src/readmodel/hosts.pure.ts';

const NOW = new Date('2026-03-01T06:00:00Z');
const failed = (host: string): TriedOn => ({ host, outcome: 'failed', counted: true });
const done = (host: string): TriedOn => ({ host, outcome: 'done', counted: false });
const requeued = (host: string): TriedOn => ({ host, outcome: 'requeued', counted: false });

const FAILED = { outcome: 'failed', counted: true };
const DONE = { outcome: 'done', counted: false };

/** Failures of one cause, each `run on host`. */
function groupOf(...failures: [run: number, host: string][]) {
  const counted = failures.map(([run, host]) => ({
    ...{ run, host, ended: NOW, fingerprint: 'f', plugin: null, cause: null, reason: 'boom' },
    ...{ traceback: null, versions: {} },
  }));
  return failureGroups(counted, ['eb0.lab', 'eb1.lab', 'eb2.lab'], NOW)[0]!;
}

describe('is it the host or the run?', () => {
  it('is not asked of a run that has not failed by itself', () => {
    expect(hostOrRun([], null, [])).toBeNull();
    expect(hostOrRun([done('eb0.lab'), requeued('eb1.lab')], null, [])).toBeNull();
  });

  it('is the run, if it fails on every host and no other run does', () => {
    const answer = hostOrRun(
      [failed('eb0.lab'), failed('eb1.lab'), failed('eb0.lab')],
      groupOf([7, 'eb0.lab'], [7, 'eb1.lab']),
      [],
    );
    expect(answer?.blame).toBe('run');
    expect(answer?.because).toEqual([
      'It failed on eb0 (2 times), eb1.',
      'No other run has failed for the same cause.',
    ]);
  });

  it('is the host, if other runs fail of the same cause there and nowhere else', () => {
    const group = groupOf([7, 'eb0.lab'], [8, 'eb0.lab']);
    expect(hostOrRun([failed('eb0.lab')], group, [])?.blame).toBe('host');
  });

  it('is the host, if the run succeeded elsewhere', () => {
    expect(hostOrRun([failed('eb0.lab'), done('eb1.lab')], null, [])?.blame).toBe('host');
  });

  it('is the host, if it does worse than chance allows', () => {
    const attempts = [
      ...Array.from({ length: 10 }, (_, run) => ({ run, ...FAILED, host: 'eb0.lab' })),
      ...Array.from({ length: 30 }, (_, run) => ({ run, ...DONE, host: 'eb1.lab' })),
    ];
    const answer = hostOrRun([failed('eb0.lab')], groupOf([7, 'eb0.lab']), hostScores(attempts));
    expect(answer?.blame).toBe('host');
    expect(answer?.says).toContain('eb0');
    expect(answer?.because.at(-1)).toContain('0 % of the runs');
  });

  it('is neither, if many runs fail so on several hosts', () => {
    const group = groupOf([7, 'eb0.lab'], [8, 'eb1.lab'], [9, 'eb2.lab'], [10, 'eb0.lab']);
    expect(hostOrRun([failed('eb0.lab'), failed('eb1.lab')], group, [])?.blame).toBe('common');
  });

  it('is neither also where its own host looks bad by that', () => {
    const group = groupOf([7, 'eb0.lab'], [8, 'eb1.lab'], [9, 'eb2.lab'], [10, 'eb0.lab']);
    const scores = [
      ...[{ host: 'eb0.lab', succeeded: 0, failed: 9, share: 0, othersShare: 0.9, worse: true }],
    ];
    expect(hostOrRun([failed('eb0.lab')], group, scores)?.blame).toBe('common');
  });

  it('cannot be told after one failure on one host', () => {
    expect(hostOrRun([failed('eb0.lab')], groupOf([7, 'eb0.lab']), [])?.blame).toBe('unclear');
  });
});
