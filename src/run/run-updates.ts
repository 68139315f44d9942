import type { Document } from 'mongodb';

import type { ClaimOwner } from '../claim/claim.port.ts';
import {
  arrayAt,
  type Expression,
  inSeconds,
  listAt,
  literal,
  numberAt,
  setBootstrax,
  unsetBootstrax,
} from '../infra/mongo/expressions.ts';
import { STATUS_TO_REPLACE } from './hand-on.pure.ts';
import type { Conclusion, Fence, PlanSummary, ProgressSummary } from './run.port.ts';
import { registerStage, unregisterStage } from './run-data.ts';
import type { Again } from './run-shape.pure.ts';
import { HOLD_TAG } from './run-tags.pure.ts';

export const FINISHED_STATUS = 'eb_finished_pre';
/** Our time, written twice: a program that copies the second writes a new first (`claim/claimed-run.pure`). */
const FIRST_OWN_TIME = { time: '$$NOW', attempt_time: '$$NOW' } as const;
/** Both times are set only if they were equal; else the second stays, which shows a foreign write. */
const OWN_TIME = {
  time: '$$NOW',
  attempt_time: {
    $cond: [
      {
        $eq: [
          { $ifNull: ['$bootstrax.attempt_time', '$bootstrax.time'] },
          { $ifNull: ['$bootstrax.time', null] },
        ],
      },
      '$$NOW',
      '$bootstrax.attempt_time',
    ],
  },
};

/** `on`: where a person wants it processed; absent: as requested before. */
export function claimUpdate(owner: ClaimOwner): Document[] {
  return [
    setBootstrax({
      state: 'considering',
      host: literal(owner.host),
      ...FIRST_OWN_TIME,
      attempt: literal(owner.attempt),
      ...(owner.on === undefined ? {} : { wanted_on: literal(owner.on) }),
    }),
    unsetBootstrax(
      'plan',
      'progress',
      'malformed',
      'same_number',
      'fault_seen',
      'waits_for',
      'job',
      'incomplete',
    ),
  ];
}

export function busyUpdate(plan: PlanSummary): Document[] {
  return [
    setBootstrax({
      state: 'busy',
      ...OWN_TIME,
      started_processing: '$$NOW',
      plan: literal(plan),
    }),
    unsetBootstrax('waits_for'),
  ];
}

/** `waitsFor`: null removes it; undefined keeps the present value. */
export function heartbeatUpdate(
  progress: ProgressSummary | null,
  waitsFor?: string | null,
): Document[] {
  return [
    setBootstrax({
      ...OWN_TIME,
      ...(progress === null ? {} : { progress: literal(progress) }),
      ...(typeof waitsFor === 'string' ? { waits_for: literal(waitsFor) } : {}),
    }),
    ...(waitsFor === null ? [unsetBootstrax('waits_for')] : []),
  ];
}

/** The job is kept until the attempt is concluded. */
export function jobUpdate(
  { executor, id }: { executor: string; id: string | null },
  waitsFor: string,
): Document[] {
  const job = { executor: literal(executor), id: literal(id), since: '$$NOW' };
  return [setBootstrax({ ...OWN_TIME, waits_for: literal(waitsFor), job })];
}

/** Withdraws entries; also a heartbeat, since the write shows that the holder lives. */
export function unregisterUpdate(host: string, locations: readonly string[]): Document[] {
  return [unregisterStage(host, locations), setBootstrax(OWN_TIME)];
}

/** `last_attempt` stays in the document: it tells a lost answer from a lost run. */
export function concludeUpdate(fence: Fence, conclusion: Conclusion): Document[] {
  return [...settleUpdate(fence.host, conclusion), setBootstrax({ last_attempt: fence.attempt })];
}

/** Writes the id of an action along, which shows later that the action was carried out. */
export function withAction(update: Document[], action: string | undefined): Document[] {
  return action === undefined ? update : [...update, setBootstrax({ action: literal(action) })];
}

export function settleUpdate(host: string, conclusion: Conclusion): Document[] {
  const { register = [], unregister = [] } = conclusion;
  return [
    ...(unregister.length > 0 ? [unregisterStage(host, unregister)] : []),
    ...(register.length > 0 ? [registerStage(host, register)] : []),
    setBootstrax({ host: literal(host), time: '$$NOW', ...conclusionFields(conclusion) }),
    unsetBootstrax(
      'attempt',
      'attempt_time',
      'progress',
      'waits_for',
      'job',
      ...conclusionRemoves(conclusion),
    ),
    ...(isRetriedByCount(conclusion) ? [] : [withoutZeroCount()]),
    ...(conclusion.kind === 'done' && conclusion.handOn !== false ? [statusStage()] : []),
  ];
}

/** The reference's query for retries finds only runs with a count. */
function isRetriedByCount({ kind }: Conclusion): boolean {
  return kind === 'failed' || kind === 'requeued' || kind === 'given_up';
}

/** A run that never failed has no count, as the reference has it. */
function withoutZeroCount(): Document {
  const isOther = { $ne: ['$$field.k', 'n_failures'] };
  const fields = { $objectToArray: '$bootstrax' };
  const others = { $filter: { input: fields, as: 'field', cond: isOther } };
  return {
    $set: {
      bootstrax: {
        $cond: [{ $eq: ['$bootstrax.n_failures', 0] }, { $arrayToObject: others }, '$bootstrax'],
      },
    },
  };
}

/** `bootstrax.state` after each conclusion: only values that the reference knows. */
export function concludedState(conclusion: Conclusion): 'done' | 'failed' | 'abandoned' {
  switch (conclusion.kind) {
    case 'done':
    case 'abandoned':
      return conclusion.kind;
    case 'failed':
    case 'requeued':
    case 'set_aside':
    case 'given_up':
      return 'failed';
  }
}

function conclusionFields(conclusion: Conclusion): Record<string, Expression> {
  const common = { state: concludedState(conclusion), outcome: conclusion.kind };
  switch (conclusion.kind) {
    case 'done':
      return {
        ...common,
        uncounted: 0,
        ...(conclusion.incomplete === undefined
          ? {}
          : { incomplete: literal(conclusion.incomplete) }),
      };
    case 'failed':
      return {
        ...common,
        reason: literal(conclusion.reason),
        n_failures: conclusion.failures,
        next_retry: inSeconds(conclusion.delaySeconds),
        uncounted: 0,
        ...(conclusion.asked ? askedFailure(conclusion.failures) : {}),
      };
    case 'requeued':
      return {
        ...common,
        ...(conclusion.reason === null ? {} : { reason: literal(conclusion.reason) }),
        n_failures: numberAt('$bootstrax.n_failures'),
        next_retry: inSeconds(conclusion.delaySeconds),
        uncounted: { $add: [numberAt('$bootstrax.uncounted'), 1] },
        ...(conclusion.holderLost
          ? { holders_lost: { $add: [numberAt('$bootstrax.holders_lost'), 1] } }
          : {}),
      };
    case 'set_aside':
      if (conclusion.smallest === true) return common;
      return {
        ...common,
        reason: literal(conclusion.reason),
        malformed: literal(conclusion.problems.map(({ field, problem }) => ({ field, problem }))),
        ...(conclusion.sameNumber === undefined
          ? {}
          : { same_number: literal([...conclusion.sameNumber]) }),
        ...(conclusion.faultSeen === undefined
          ? {}
          : { fault_seen: literal({ ...conclusion.faultSeen }) }),
      };
    case 'given_up':
      return {
        ...common,
        reason: literal(conclusion.reason),
        n_failures: conclusion.failures,
        uncounted: 0,
        ...(conclusion.asked ? askedFailure(conclusion.failures) : {}),
      };
    case 'abandoned':
      return {
        ...common,
        ...(conclusion.reason === null ? {} : { reason: literal(conclusion.reason) }),
      };
  }
}

function askedFailure(number: number): Record<string, Expression> {
  return { asked_failures: { $concatArrays: [arrayAt('$bootstrax.asked_failures'), [number]] } };
}

/** What a person has asked for, until the run is done or abandoned. */
const REQUESTS = ['keep_products', 'reprocessed', 'wanted_on'];

function conclusionRemoves(conclusion: Conclusion): string[] {
  switch (conclusion.kind) {
    case 'set_aside':
      // Without `next_retry` no program retries the run.
      return [
        'next_retry',
        ...(conclusion.sameNumber === undefined ? ['same_number'] : []),
        ...(conclusion.faultSeen === undefined ? ['fault_seen'] : []),
        ...(conclusion.smallest === true
          ? ['reason', 'plan', 'malformed', 'holders_lost', 'uncounted']
          : []),
      ];
    case 'requeued':
      return ['malformed', 'same_number', 'fault_seen'];
    case 'abandoned':
      return ['malformed', 'same_number', 'fault_seen', ...REQUESTS];
    case 'done':
      return ['malformed', 'same_number', 'fault_seen', 'holders_lost', ...REQUESTS];
    case 'failed':
    case 'given_up':
      return ['malformed', 'same_number', 'fault_seen', 'holders_lost'];
  }
}

/** A status that another program has set since stays: that program has taken the run. */
export const finishedStatus: Expression = {
  $cond: [{ $in: [{ $ifNull: ['$status', null] }, STATUS_TO_REPLACE] }, FINISHED_STATUS, '$status'],
};

export function statusStage(): Document {
  return { $set: { status: finishedStatus } };
}

/** Due now, as a person has asked. */
export function retryUpdate(host: string, failures: number, again: Again = {}): Document[] {
  const { keep, isReprocessed, on } = again;
  return [
    setBootstrax({
      state: 'failed',
      outcome: 'requeued',
      host: literal(host),
      time: '$$NOW',
      n_failures: failures,
      next_retry: '$$NOW',
      uncounted: 0,
    }),
    unsetBootstrax(
      'attempt',
      'attempt_time',
      'progress',
      'job',
      'malformed',
      'same_number',
      'fault_seen',
      'holders_lost',
    ),
    ...(failures === 0 ? [unsetBootstrax('asked_failures')] : []),
    ...(keep === true ? [setBootstrax({ keep_products: true })] : []),
    ...(keep === false ? [unsetBootstrax('keep_products')] : []),
    ...(isReprocessed === true ? [setBootstrax({ reprocessed: true })] : []),
    ...(on == null ? [] : [setBootstrax({ wanted_on: literal(on) })]),
    ...(on === null ? [unsetBootstrax('wanted_on')] : []),
  ];
}

/** `due`: the run was set aside for its number and is due again at once. */
export function renumberUpdate(number: number, due: boolean): Document[] {
  const again = {
    state: 'failed',
    outcome: 'requeued',
    time: '$$NOW',
    n_failures: numberAt('$bootstrax.n_failures'),
    next_retry: '$$NOW',
  };
  return [
    { $set: { number: literal(number) } },
    ...(due ? [setBootstrax(again), unsetBootstrax('malformed', 'same_number', 'fault_seen')] : []),
  ];
}

const notHoldTag = { $and: [{ $ne: ['$$tag.name', HOLD_TAG] }, { $ne: ['$$tag', HOLD_TAG] }] };

const tagList = listAt('$tags');

function tagsWithoutHold(): Expression {
  return { $filter: { input: tagList, as: 'tag', cond: notHoldTag } };
}

export function holdUpdate(user: string): Document[] {
  const tag = { name: HOLD_TAG, user: literal(user), date: '$$NOW' };
  return [{ $set: { tags: { $concatArrays: [tagList, [tag]] } } }];
}

export function releaseUpdate(): Document[] {
  return [{ $set: { tags: tagsWithoutHold() } }];
}
