import { aggregate } from 'mingo';
import { describe, expect, it } from 'vitest';

import {
  claimUpdate,
  concludedState,
  concludeUpdate,
  heartbeatUpdate,
  holdUpdate,
  registerUpdate,
  releaseUpdate,
  retryUpdate,
  unregisterUpdate,
} from '../../../src/store/run-updates.ts';
import type { Conclusion, Fence } from '../../../src/store/types.ts';

type Fields = Record<string, unknown>;

/** An update pipeline is an aggregation of one document. */
function apply(document: Fields, pipeline: object[]): Fields {
  return aggregate([document], pipeline as never)[0] as Fields;
}

const HOST = 'eb3.xenon.local';
const FENCE = { id: null as unknown as Fence['id'], attempt: 'a'.repeat(24), host: HOST };
const now = expect.any(Date) as Date;

describe('update pipelines', () => {
  it.each([undefined, null, 'odd', 5, [1], {}])('claim over bootstrax %j', (...values) => {
    const bootstrax = values.length === 1 ? values[0] : values;
    const claimed = apply({ bootstrax }, claimUpdate(FENCE));
    expect(claimed).toEqual({
      bootstrax: { state: 'considering', host: HOST, time: now, attempt: FENCE.attempt },
    });
  });

  it('take text with $ as text', () => {
    const host = '$bootstrax.state';
    expect(apply({}, claimUpdate({ ...FENCE, host }))).toMatchObject({ bootstrax: { host } });
    const reason = '$$ROOT';
    const failed = { kind: 'given_up', reason, failures: 10 } as const;
    expect(apply({}, concludeUpdate(FENCE, failed))).toMatchObject({ bootstrax: { reason } });
  });

  it('a life sign touches nothing but the time', () => {
    const before = { state: 'busy', attempt: 'x', progress: { t: 1 } };
    expect(apply({ bootstrax: before, other: 1 }, heartbeatUpdate(null))).toEqual({
      bootstrax: { ...before, time: now },
      other: 1,
    });
  });

  it('every conclusion has a state that the reference knows and frees the run', () => {
    const conclusions: Conclusion[] = [
      { kind: 'done' },
      { kind: 'failed', reason: 'r', failures: 1, delaySeconds: 1 },
      { kind: 'requeued', reason: null, delaySeconds: 1 },
      { kind: 'set_aside', reason: 'r', problems: [] },
      { kind: 'given_up', reason: 'r', failures: 10 },
      { kind: 'abandoned', reason: null },
    ];
    for (const conclusion of conclusions) {
      const { bootstrax } = apply(
        { bootstrax: { attempt: FENCE.attempt, progress: {} } },
        concludeUpdate(FENCE, conclusion),
      ) as { bootstrax: Fields };
      expect(['done', 'failed', 'abandoned']).toContain(bootstrax.state);
      expect(bootstrax.state).toBe(concludedState(conclusion));
      expect(bootstrax).toMatchObject({ outcome: conclusion.kind, last_attempt: FENCE.attempt });
      expect(bootstrax).not.toHaveProperty('attempt');
      expect(bootstrax).not.toHaveProperty('progress');
    }
  });

  it('only done touches the status of the run', () => {
    const set = (status: unknown, conclusion: Conclusion) =>
      apply({ status }, concludeUpdate(FENCE, conclusion)).status;
    expect(set(null, { kind: 'done' })).toBe('eb_finished_pre');
    expect(set('needs_upload', { kind: 'done' })).toBe('eb_finished_pre');
    expect(set('transferred', { kind: 'done' })).toBe('transferred');
    expect(set(null, { kind: 'abandoned', reason: null })).toBeNull();
  });

  it('data entries are listed once per host and location', () => {
    const entry = { type: 'peaks', location: '/p', lineage: { $odd: ['a.b'] } };
    const listed = apply({}, registerUpdate(HOST, [entry]));
    const stored = {
      type: 'peaks',
      host: HOST,
      location: '/p',
      protocol: 'FileSytemBackend',
      meta: { lineage: entry.lineage },
    };
    expect(listed.data).toEqual([stored]);
    expect(apply(listed, registerUpdate(HOST, [entry])).data).toEqual([stored]);
    expect(apply(listed, registerUpdate('eb4', [entry])).data).toEqual([
      stored,
      { ...stored, host: 'eb4' },
    ]);
    const gone = apply(listed, unregisterUpdate(HOST, ['/p']));
    expect(gone.data).toEqual([]);
    expect(gone.deleted_data).toEqual([{ type: 'peaks', host: HOST, at: now, by: HOST }]);
  });

  it('retry makes a given-up run due with the failures asked for', () => {
    const bootstrax = { state: 'failed', n_failures: 10, outcome: 'given_up', malformed: [1] };
    expect(apply({ bootstrax }, retryUpdate(HOST, 0)).bootstrax).toEqual({
      state: 'failed',
      outcome: 'requeued',
      host: HOST,
      time: now,
      n_failures: 0,
      next_retry: now,
      uncounted: 0,
    });
  });

  it('hold and release touch one tag only', () => {
    const messy = { name: 'messy' };
    const held = apply({ tags: [messy] }, holdUpdate('shifter'));
    expect(held.tags).toEqual([messy, { name: 'hold-processing', user: 'shifter', date: now }]);
    expect(apply(held, releaseUpdate()).tags).toEqual([messy]);
  });
});
