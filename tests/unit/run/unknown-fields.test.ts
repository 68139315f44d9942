import fc from 'fast-check';
import type { Document } from 'mongodb';
import { describe, expect, it, test } from 'vitest';

import * as adoptionUpdates from '../../../src/run/adoption-updates.ts';
import * as debtUpdates from '../../../src/run/debt-updates.ts';
import type { Conclusion, Fence, PlanSummary } from '../../../src/run/run.port.ts';
import * as runData from '../../../src/run/run-data.ts';
import * as runUpdates from '../../../src/run/run-updates.ts';
import { updated } from '../database/updates.ts';

type Fields = Record<string, unknown>;

const HOST = 'eb3.xenon.local';
const LOCATION = '/out/000007-peaks-abc';
const OWNER = { attempt: 'a'.repeat(24), host: HOST };
const FENCE = { id: null as unknown as Fence['id'], ...OWNER };
const PLAN: PlanSummary = {
  ...{ targets: ['peaks'], post_processing: [], dropped: [] },
  ...{ cores: 2, max_messages: 10, timeout: 500, rung: 0, place: '/out.staging/a' },
};
const PROGRESS = {
  ...{ phase: 'processing', chunks: 1, covered_seconds: 5, bytes: 9, memory_bytes: 8 },
  ...{ mb_per_s: null, t: 3 },
};
const ENTRY = { type: 'peaks', location: LOCATION, lineage: { peaks: ['Peaks', '1', {}] } };
const BOTH = { register: [{ ...ENTRY, location: '/out/new' }], unregister: [LOCATION] };
const REASON = 'eb3:\nbecause\n';
const PROBLEMS = { problems: [{ field: 'end', problem: 'odd' }] };
const CONCLUSIONS: Conclusion[] = [
  { kind: 'done', ...BOTH },
  { kind: 'done', handOn: false, incomplete: { missing: 1, unreadable: 0, unread: 0, parts: [] } },
  { kind: 'failed', reason: REASON, failures: 2, delaySeconds: 5, asked: true, ...BOTH },
  { kind: 'requeued', reason: REASON, delaySeconds: 5, holderLost: true },
  { kind: 'requeued', reason: null, delaySeconds: 5, ...BOTH },
  { kind: 'set_aside', reason: REASON, ...PROBLEMS, sameNumber: ['b'], ...BOTH },
  { kind: 'set_aside', reason: REASON, ...PROBLEMS, faultSeen: { document: 'd', live: 'l' } },
  { kind: 'set_aside', reason: REASON, ...PROBLEMS, smallest: true },
  { kind: 'given_up', reason: REASON, failures: 10, asked: true, ...BOTH },
  { kind: 'abandoned', reason: null, ...BOTH },
  { kind: 'abandoned', reason: REASON },
];

/** Every update of a run document that the program makes, by the function that makes it. */
const UPDATES: Record<string, Document[][]> = {
  claimUpdate: [runUpdates.claimUpdate(OWNER), runUpdates.claimUpdate({ ...OWNER, on: 'slurm' })],
  busyUpdate: [runUpdates.busyUpdate(PLAN)],
  heartbeatUpdate: [
    runUpdates.heartbeatUpdate(null),
    runUpdates.heartbeatUpdate(PROGRESS, 'the worker'),
    runUpdates.heartbeatUpdate(PROGRESS, null),
  ],
  jobUpdate: [runUpdates.jobUpdate({ executor: 'slurm', id: '7' }, 'its job')],
  unregisterUpdate: [runUpdates.unregisterUpdate(HOST, [LOCATION])],
  concludeUpdate: CONCLUSIONS.map((each) => runUpdates.concludeUpdate(FENCE, each)),
  settleUpdate: CONCLUSIONS.map((each) => runUpdates.settleUpdate(HOST, each)),
  withAction: [runUpdates.withAction(runUpdates.heartbeatUpdate(null), 'action')],
  statusStage: [[runUpdates.statusStage()]],
  retryUpdate: [
    runUpdates.retryUpdate(HOST, 0),
    runUpdates.retryUpdate(HOST, 3, { keep: true, isReprocessed: true, on: 'slurm' }),
    runUpdates.retryUpdate(HOST, 3, { keep: false, on: null }),
  ],
  renumberUpdate: [runUpdates.renumberUpdate(8, true), runUpdates.renumberUpdate(8, false)],
  holdUpdate: [runUpdates.holdUpdate('anna')],
  releaseUpdate: [runUpdates.releaseUpdate()],
  registerStage: [[runData.registerStage(HOST, [ENTRY, { ...ENTRY, location: '/out/new' }])]],
  unregisterStage: [[runData.unregisterStage(HOST, [LOCATION])]],
  withdrawLiveStage: [[runData.withdrawLiveStage(HOST, '/live')]],
  debtHeldUpdate: [debtUpdates.debtHeldUpdate(OWNER)],
  debtClaimUpdate: [debtUpdates.debtClaimUpdate(OWNER)],
  debtPaidUpdate: [debtUpdates.debtPaidUpdate(OWNER, { register: BOTH.register, plan: PLAN })],
  debtsWaitingUpdate: [debtUpdates.debtsWaitingUpdate()],
  debtReleasedUpdate: [debtUpdates.debtReleasedUpdate()],
  adoptUpdate: [adoptionUpdates.adoptUpdate(HOST, 'eb4.xenon.local')],
};

/** What the program knows: any of it may be written or removed. */
const KNOWN = new Set(['number', 'status', 'tags', 'bootstrax', 'data', 'deleted_data']);
const KNOWN_BELOW = new Set(
  (
    'state host time attempt_time started_processing reason n_failures asked_failures next_retry attempt ' +
    'action last_attempt outcome uncounted holders_lost malformed incomplete waits_for same_number ' +
    'fault_seen plan debt debt_paid progress job reprocessed wanted_on keep_products'
  ).split(' '),
);
const KNOWN_OF_ENTRY = new Set(['host', 'location', 'meta', 'protocol', 'at', 'by']);

/** Anything that MongoDB stores. */
const value = fc.letrec<{ any: unknown }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<unknown>(null, true, 0, -1.5, 7, '', 'odd', '$state', '$$NOW', new Date(5)),
    fc.array(tie('any'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('host', 'name', 'x', 'deep'), tie('any'), { maxKeys: 3 }),
  ),
})).any;
const name = fc.oneof(
  fc.constantFrom('rechunked', 'comments', 'user note', 'größe', 'attempts', 'State'),
  fc.stringMatching(/^[a-z_]{1,6}$/),
);
const others = (known: ReadonlySet<string>) =>
  fc.dictionary(
    name.filter((each) => !known.has(each)),
    value,
    { maxKeys: 5 },
  );

const below = fc
  .tuple(
    others(KNOWN_BELOW),
    fc.dictionary(fc.constantFrom(...KNOWN_BELOW), value),
    fc.constantFrom<unknown>(undefined, 'done', 'busy', null),
  )
  .map(([unknown, known, state]) => ({
    ...known,
    ...unknown,
    ...(state === undefined ? {} : { state }),
  }));
const entry = fc
  .tuple(
    fc.constantFrom<Fields>(
      { type: 'peaks', host: HOST, location: LOCATION, protocol: 'x', meta: {} },
      { type: 'peaks', host: HOST, location: '/out/other' },
      { type: 'peaks', host: 'eb5', location: LOCATION },
      { type: 'live', host: 'daq', location: '/live' },
    ),
    others(KNOWN_OF_ENTRY),
  )
  .map(([known, unknown]): unknown => ({ ...unknown, ...known }));
const list = fc.oneof(
  fc.array(fc.oneof({ arbitrary: entry, weight: 3 }, { arbitrary: value, weight: 1 }), {
    maxLength: 4,
  }),
  value,
);
const tags = fc.oneof(fc.array(fc.oneof(value, fc.constant({ name: 'x', note: 1 }))), value);
const document = fc
  .tuple(
    others(KNOWN),
    fc.record(
      {
        number: value,
        status: value,
        tags,
        bootstrax: fc.oneof({ arbitrary: below, weight: 4 }, fc.constantFrom(null, 'odd', 7)),
        data: list,
        deleted_data: list,
      },
      { requiredKeys: [] },
    ),
  )
  .map(([unknown, known]): Fields => ({ ...unknown, ...known }));

const isFields = (each: unknown): each is Fields =>
  typeof each === 'object' && each !== null && !Array.isArray(each) && !(each instanceof Date);
const unknownOf = (each: unknown, known: ReadonlySet<string>): Fields =>
  isFields(each) ? Object.fromEntries(Object.entries(each).filter(([key]) => !known.has(key))) : {};
/** As a list: nothing where nothing is, one that stands alone by itself. */
const listed = (each: unknown): unknown[] => [each ?? []].flat();
/** What of entries belongs to others, whichever list they are in; those that are no entries as they are. */
const ofEntries = (...lists: unknown[]): string[] =>
  lists
    .flatMap(listed)
    .map((each) => JSON.stringify(isFields(each) ? unknownOf(each, KNOWN_OF_ENTRY) : each));

function checkKept(before: Fields, pipeline: Document[]): void {
  const after = updated(before, pipeline);
  expect(unknownOf(after, KNOWN)).toEqual(unknownOf(before, KNOWN));
  expect(unknownOf(after.bootstrax, KNOWN_BELOW)).toEqual(unknownOf(before.bootstrax, KNOWN_BELOW));
  const left = ofEntries(after.data, after.deleted_data);
  for (const each of ofEntries(before.data, before.deleted_data)) {
    const at = left.indexOf(each);
    expect(at, each).toBeGreaterThanOrEqual(0);
    left.splice(at, 1);
  }
  const tagsLeft = listed(after.tags).map((each) => JSON.stringify(each));
  for (const tag of listed(before.tags).map((each) => JSON.stringify(each))) {
    expect(tagsLeft).toContain(tag);
  }
}

test('every function that makes an update of a run document is among those looked at', () => {
  const made = [runUpdates, runData, debtUpdates, adoptionUpdates].flatMap((module) =>
    Object.entries(module).flatMap(([key, each]) => (typeof each === 'function' ? [key] : [])),
  );
  const notUpdates = ['concludedState'];
  expect(Object.keys(UPDATES).sort()).toEqual(
    made.filter((key) => !notUpdates.includes(key)).sort(),
  );
});

describe('what others have written and the program does not know stays', () => {
  it.each(Object.entries(UPDATES))('in a run document after %s', (_name, pipelines) => {
    fc.assert(
      fc.property(document, fc.constantFrom(...pipelines), (before, pipeline) => {
        checkKept(before, pipeline);
      }),
      { numRuns: 300 },
    );
  });
});
