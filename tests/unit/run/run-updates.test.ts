import { describe, expect, it } from 'vitest';

import { isAsItsAttemptLeftIt } from '../../../src/claim/claimed-run.pure.ts';
import { STATUS_TO_REPLACE } from '../../../src/run/hand-on.pure.ts';
import type { Conclusion, Fence, PlanSummary } from '../../../src/run/run.port.ts';
import { readRun } from '../../../src/run/run.pure.ts';
import {
  busyUpdate,
  claimUpdate,
  concludedState,
  concludeUpdate,
  FINISHED_STATUS,
  heartbeatUpdate,
  holdUpdate,
  releaseUpdate,
  renumberUpdate,
  retryUpdate,
  settleUpdate,
  statusStage,
  unregisterUpdate,
} from '../../../src/run/run-updates.ts';
import { NOW, updated } from '../database/updates.ts';

const HOST = 'eb3.xenon.local';
const FENCE = { id: null as unknown as Fence['id'], attempt: 'a'.repeat(24), host: HOST };
const PLAN: PlanSummary = {
  targets: ['peaks'],
  post_processing: ['online'],
  dropped: [],
  cores: 2,
  max_messages: 10,
  timeout: 500,
  rung: 0,
};
/** Everything that an attempt may find and leave behind. */
const OWNED = {
  state: 'busy',
  host: HOST,
  time: new Date(0),
  attempt_time: new Date(0),
  attempt: FENCE.attempt,
  plan: PLAN,
  progress: { t: 1 },
  malformed: [{ field: 'end', problem: 'odd' }],
  same_number: ['b'.repeat(24)],
  n_failures: 3,
  uncounted: 2,
  holders_lost: 1,
  reason: 'old',
  next_retry: new Date(1),
  started_processing: new Date(2),
  foreign: 'kept',
};
const { attempt: _attempt, attempt_time: _time, progress: _progress, ...FREED } = OWNED;
const without = (fields: object, ...names: string[]) =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));
const later = (seconds: number) => new Date(NOW.getTime() + seconds * 1000);

describe('claim', () => {
  it.each([undefined, null, 'odd', 5, [1], {}])('takes the place of bootstrax %j', (...values) => {
    const bootstrax = values.length === 1 ? values[0] : values;
    expect(updated({ bootstrax, number: 7 }, claimUpdate(FENCE))).toEqual({
      bootstrax: {
        ...{ state: 'considering', host: HOST, time: NOW, attempt_time: NOW },
        attempt: FENCE.attempt,
      },
      number: 7,
    });
  });

  it('forgets plan, progress and malformed fields of earlier attempts, and nothing else', () => {
    const { bootstrax } = updated(
      { bootstrax: OWNED },
      claimUpdate({ attempt: 'new', host: 'eb4' }),
    );
    expect(bootstrax).toEqual({
      ...without(OWNED, 'plan', 'progress', 'malformed', 'same_number'),
      state: 'considering',
      host: 'eb4',
      time: NOW,
      attempt_time: NOW,
      attempt: 'new',
    });
  });

  it('takes text with $ as text', () => {
    const owner = { host: '$bootstrax.state', attempt: '$$ROOT' };
    expect(updated({}, claimUpdate(owner))).toMatchObject({ bootstrax: owner });
  });
});

describe('while an attempt runs', () => {
  it('busy adds plan and start', () => {
    const plan = { ...PLAN, targets: ['$peaks'] };
    expect(updated({ bootstrax: OWNED }, busyUpdate(plan)).bootstrax).toEqual({
      ...OWNED,
      time: NOW,
      attempt_time: NOW,
      started_processing: NOW,
      plan,
    });
    expect(updated({ bootstrax: { state: 'considering' } }, busyUpdate(plan))).toMatchObject({
      bootstrax: { state: 'busy' },
    });
  });

  it('a heartbeat touches nothing but its times', () => {
    expect(updated({ bootstrax: OWNED, other: 1 }, heartbeatUpdate(null))).toEqual({
      bootstrax: { ...OWNED, time: NOW, attempt_time: NOW },
      other: 1,
    });
  });

  it('a heartbeat says what the run waits for, and that it waits no more; without a word that stays', () => {
    const waiting = updated({ bootstrax: OWNED }, heartbeatUpdate(null, '$$NOW'));
    expect(waiting.bootstrax).toMatchObject({ waits_for: '$$NOW' });
    expect(updated(waiting, heartbeatUpdate(null)).bootstrax).toHaveProperty('waits_for');
    expect(updated(waiting, heartbeatUpdate(null, null)).bootstrax).not.toHaveProperty('waits_for');
    expect(updated(waiting, busyUpdate(PLAN)).bootstrax).not.toHaveProperty('waits_for');
  });

  it.each([
    ['busy', busyUpdate(PLAN)],
    ['a heartbeat', heartbeatUpdate(null)],
    ['a heartbeat that says what it waits for', heartbeatUpdate(null, 'x')],
    ['a heartbeat that waits no more', heartbeatUpdate(null, null)],
    ['an unlisting', unregisterUpdate(HOST, ['/p'])],
  ])(
    '%s never makes a run its own again that somebody else has written, who copied all other fields',
    (_what, update) => {
      const copied = { ...OWNED, time: new Date(5) };
      const { bootstrax } = updated({ bootstrax: copied }, update) as { bootstrax: typeof OWNED };
      expect(isAsItsAttemptLeftIt(readRun({ bootstrax }))).toBe(false);
      const own = updated({ bootstrax: OWNED }, update) as { bootstrax: typeof OWNED };
      expect(isAsItsAttemptLeftIt(readRun(own))).toBe(true);
      const { attempt_time: _absent, ...before } = OWNED;
      const adopted = updated({ bootstrax: before }, update) as { bootstrax: typeof OWNED };
      expect(adopted.bootstrax.attempt_time).toEqual(NOW);
    },
  );

  it('a heartbeat with progress replaces the progress', () => {
    const progress = { ...PROGRESS, phase: '$$NOW' };
    expect(updated({ bootstrax: OWNED }, heartbeatUpdate(progress)).bootstrax).toEqual({
      ...OWNED,
      time: NOW,
      attempt_time: NOW,
      progress,
    });
  });
});

const PROGRESS = {
  phase: 'processing',
  chunks: 3,
  covered_seconds: 15,
  bytes: 1,
  memory_bytes: 1,
  mb_per_s: null,
  t: 1,
};

const CONCLUSIONS: [Conclusion, Record<string, unknown>, string[]][] = [
  [{ kind: 'done' }, { state: 'done', uncounted: 0 }, ['malformed', 'same_number', 'holders_lost']],
  [
    { kind: 'failed', reason: '$why', failures: 4, delaySeconds: 90.5 },
    { state: 'failed', reason: '$why', n_failures: 4, next_retry: later(90.5), uncounted: 0 },
    ['malformed', 'same_number', 'holders_lost'],
  ],
  [
    { kind: 'requeued', reason: null, delaySeconds: 10 },
    { state: 'failed', next_retry: later(10), uncounted: 3 },
    ['malformed', 'same_number'],
  ],
  [
    { kind: 'requeued', reason: '$why', delaySeconds: 0.0004, holderLost: true },
    { state: 'failed', reason: '$why', next_retry: NOW, uncounted: 3, holders_lost: 2 },
    ['malformed', 'same_number'],
  ],
  [
    {
      kind: 'set_aside',
      reason: '$why',
      problems: [{ field: '$f', problem: '$p', value: 1 } as { field: string; problem: string }],
    },
    { state: 'failed', reason: '$why', malformed: [{ field: '$f', problem: '$p' }] },
    ['next_retry', 'same_number'],
  ],
  [
    { kind: 'set_aside', reason: '$why', problems: [], sameNumber: ['$a'] },
    { state: 'failed', reason: '$why', malformed: [], same_number: ['$a'] },
    ['next_retry'],
  ],
  [
    { kind: 'given_up', reason: '$why', failures: 10 },
    { state: 'failed', reason: '$why', n_failures: 10, uncounted: 0 },
    ['malformed', 'same_number', 'holders_lost'],
  ],
  [{ kind: 'abandoned', reason: null }, { state: 'abandoned' }, ['malformed', 'same_number']],
  [
    { kind: 'abandoned', reason: '$why' },
    { state: 'abandoned', reason: '$why' },
    ['malformed', 'same_number'],
  ],
];

describe('conclusions', () => {
  it.each(CONCLUSIONS)(
    'are written with what they conclude, and nothing else is lost: %j',
    (conclusion, written, removed) => {
      const common = { outcome: conclusion.kind, host: 'eb4', time: NOW };
      const expected = { ...without(FREED, ...removed), ...common, ...written };
      const document = { bootstrax: OWNED, data: 'untouched', deleted_data: 5, status: 'theirs' };
      expect(updated(document, settleUpdate('eb4', conclusion))).toEqual({
        ...document,
        bootstrax: expected,
      });
      expect(updated(document, concludeUpdate({ ...FENCE, host: 'eb4' }, conclusion))).toEqual({
        ...document,
        bootstrax: { ...expected, last_attempt: FENCE.attempt },
      });
      expect(concludedState(conclusion)).toBe(written.state);
    },
  );

  it('count from 0 what was never counted', () => {
    const requeued = { kind: 'requeued', reason: null, delaySeconds: 1, holderLost: true } as const;
    expect(updated({}, settleUpdate(HOST, requeued)).bootstrax).toEqual({
      state: 'failed',
      outcome: 'requeued',
      host: HOST,
      time: NOW,
      n_failures: 0,
      next_retry: later(1),
      uncounted: 1,
      holders_lost: 1,
    });
  });

  it('list and unlist data in the same update, removal first', () => {
    const stored = { type: 'peaks', host: HOST, location: '/p' };
    const conclusion: Conclusion = {
      kind: 'abandoned',
      reason: null,
      register: [{ type: 'peaks', location: '/p', lineage: {} }],
      unregister: ['/p'],
    };
    const after = updated({ data: [stored] }, settleUpdate(HOST, conclusion));
    expect(after.data).toEqual([
      { ...stored, protocol: 'FileSytemBackend', meta: { lineage: {} } },
    ]);
    expect(after.deleted_data).toEqual([{ type: 'peaks', host: HOST, at: NOW, by: HOST }]);
  });

  it.each([{}, { register: [], unregister: [] }])(
    'without data (%j) leave the lists alone',
    (none) => {
      const after = updated({}, settleUpdate(HOST, { kind: 'abandoned', reason: null, ...none }));
      expect(Object.keys(after)).toEqual(['bootstrax']);
    },
  );

  it('only done sets the status of the run, and none but these', () => {
    const set = (status: unknown, conclusion: Conclusion) =>
      updated(status === undefined ? {} : { status }, settleUpdate(HOST, conclusion)).status;
    for (const status of [undefined, null, 'needs_upload']) {
      expect(set(status, { kind: 'done' })).toBe('eb_finished_pre');
      expect(set(status, { kind: 'abandoned', reason: null })).toBe(status);
    }
    for (const status of ['transferred', '', 'eb_finished_pre', 0]) {
      expect(set(status, { kind: 'done' })).toBe(status);
    }
    expect(FINISHED_STATUS).toBe('eb_finished_pre');
    expect(STATUS_TO_REPLACE).toEqual([null, 'needs_upload']);
    expect(updated({ status: null, bootstrax: OWNED }, [statusStage()])).toEqual({
      status: 'eb_finished_pre',
      bootstrax: OWNED,
    });
  });
});

describe('operators', () => {
  it('retry makes a given-up run due with the failures asked for', () => {
    expect(updated({ bootstrax: OWNED, status: null }, retryUpdate('eb4', 0))).toEqual({
      bootstrax: {
        ...without(FREED, 'malformed', 'same_number', 'holders_lost'),
        state: 'failed',
        outcome: 'requeued',
        host: 'eb4',
        time: NOW,
        n_failures: 0,
        next_retry: NOW,
        uncounted: 0,
      },
      status: null,
    });
    const host = '$number';
    expect(updated({}, retryUpdate(host, 3))).toMatchObject({ bootstrax: { host, n_failures: 3 } });
  });

  it('renumber changes the number only; who was set aside for it is due at once', () => {
    const document = { number: 7, bootstrax: OWNED };
    expect(updated(document, renumberUpdate(12, false))).toEqual({ number: 12, bootstrax: OWNED });
    expect(updated(document, renumberUpdate(12, true))).toEqual({
      number: 12,
      bootstrax: {
        ...without(OWNED, 'malformed', 'same_number'),
        ...{ state: 'failed', outcome: 'requeued', time: NOW, next_retry: NOW },
      },
    });
  });

  it('hold and release touch one tag only', () => {
    const messy = { name: 'messy' };
    const held = updated({ tags: [messy], number: 1 }, holdUpdate('$shifter'));
    const hold = { name: 'hold-processing', user: '$shifter', date: NOW };
    expect(held).toEqual({ tags: [messy, hold], number: 1 });
    expect(updated(held, releaseUpdate())).toEqual({ tags: [messy], number: 1 });
    expect(updated({ tags: [hold, messy, hold] }, releaseUpdate()).tags).toEqual([messy]);
  });

  it.each<[unknown, unknown[], unknown[]]>([
    [undefined, [], []],
    [null, [], []],
    ['odd', ['odd'], ['odd']],
    ['hold-processing', ['hold-processing'], []],
    [{ name: 'hold-processing' }, [{ name: 'hold-processing' }], []],
    [
      ['hold-processing', 'messy', 5],
      ['hold-processing', 'messy', 5],
      ['messy', 5],
    ],
  ])('tags %j become a list, and none is lost', (tags, before, left) => {
    const held = { name: 'hold-processing', user: 's', date: NOW };
    expect(updated({ tags }, holdUpdate('s')).tags).toEqual([...before, held]);
    expect(updated({ tags }, releaseUpdate()).tags).toEqual(left);
  });
});
