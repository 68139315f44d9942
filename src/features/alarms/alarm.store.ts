import type { Document } from 'mongodb';

import type { Collection } from '../../infra/mongo/collection.ts';
import { inSeconds, literal } from '../../infra/mongo/expressions.ts';
import type { IndexSpec } from '../../infra/mongo/indexes.ts';
import { DUPLICATE_KEY, StoreError } from '../../infra/mongo/store-error.ts';
import { boundedText } from '../../infra/values/bounded.pure.ts';
import type { AlarmStore, Destination, ReceiverDocument } from './alarm.port.ts';
import {
  ALARM_KINDS,
  type AlarmKind,
  RECEIVERS,
  type StoredAlarm,
  type Told,
} from './alarm.pure.ts';

export const ALARMS_COLLECTION = 'bootstrax_alarms';

export const ALARM_INDEXES: readonly IndexSpec[] = [
  { database: 'runs', collection: ALARMS_COLLECTION, name: 'open_over', key: { open: 1, over: 1 } },
];

const MOST_OPEN = 1000;
const MOST_CHARACTERS = 1000;
const DESTINATIONS: readonly Destination[] = [...RECEIVERS, 'dead_man'];

const byId = (id: string) => ({ _id: id }) as Document;
const receiverId = (destination: Destination) => `receiver:${destination}`;

/** Alarms and the state of their receivers: small documents, found by their ids. */
export function createAlarmStore(alarms: Collection): AlarmStore {
  const set = (fields: Document): Document[] => [{ $set: fields }];
  return {
    raise: ({ key, kind, run, host, what, todo, since }, after) =>
      orNew(() =>
        alarms.updateOne(
          'alarms.raise',
          after === 0
            ? { ...byId(key), episode: 0 }
            : { ...byId(key), episode: after, open: false },
          set({
            ...{ kind, run, since, open: true, over: null },
            ...{
              host: literal(host),
              what: literal(boundedText(what, MOST_CHARACTERS)),
              todo: literal(boundedText(todo, MOST_CHARACTERS)),
            },
            episode: after + 1,
            opened: '$$NOW',
            told: { $ifNull: ['$told', literal({})] },
          }),
          { upsert: after === 0 },
        ),
      ),
    clear: async (key, episode) =>
      (await alarms.repeatUpdateOne(
        'alarms.clear',
        { ...byId(key), episode, open: true },
        set({ open: false, over: '$$NOW' }),
      )) === 1,
    told: async ({ key, episode }, receiver, said) => {
      await alarms.repeatUpdateOne(
        'alarms.told',
        { ...byId(key), episode },
        set({ [`told.${receiver}`]: { episode, said, at: '$$NOW' } }),
      );
    },
    open: async () => (await alarms.find({ open: true }, { limit: MOST_OPEN })).flatMap(alarmOf),
    overSince: async (since, limit) =>
      (
        await alarms.find({ open: false, over: { $gte: since } }, { sort: { over: -1 }, limit })
      ).flatMap(alarmOf),
    byKeys: async (keys) =>
      keys.length === 0 ? [] : (await alarms.find({ _id: { $in: [...keys] } })).flatMap(alarmOf),
    receivers: async () =>
      (await alarms.find({ _id: { $in: DESTINATIONS.map(receiverId) } })).flatMap(receiverOf),
    claim: async (destination, seen, by, leaseSeconds) => {
      const turn = seen?.turn ?? 0;
      const landed = await orNew(() =>
        alarms.updateOne(
          'alarms.claim',
          { ...byId(receiverId(destination)), turn },
          set({
            destination,
            turn: turn + 1,
            claimed_by: literal(by),
            claimed_until: inSeconds(leaseSeconds),
          }),
          { upsert: seen === null },
        ),
      );
      return landed ? turn + 1 : null;
    },
    release: async (destination, turn, result) => {
      await alarms.repeatUpdateOne(
        'alarms.release',
        // The update removes the turn, so that its repetition does not count a second failure.
        { ...byId(receiverId(destination)), turn, claimed_by: { $ne: null } },
        set({
          ...outcomeOf(result),
          claimed_by: null,
          claimed_until: null,
          next: inSeconds(result.nextSeconds),
        }),
      );
    },
  };
}

function outcomeOf(result: Parameters<AlarmStore['release']>[2]): Document {
  switch (result.kind) {
    case 'sent':
      return { sent: '$$NOW', failures: 0, failing_since: null, problem: null };
    case 'nothing_to_send':
      return {};
    case 'failed':
      return {
        failures: { $add: [{ $ifNull: ['$failures', 0] }, 1] },
        failing_since: { $ifNull: ['$failing_since', '$$NOW'] },
        problem: literal(result.problem),
      };
  }
}

/** Whether an upsert has landed: not if the document exists already. */
async function orNew(update: () => Promise<number>): Promise<boolean> {
  try {
    return (await update()) === 1;
  } catch (error) {
    if (error instanceof StoreError && error.code === DUPLICATE_KEY) return false;
    throw error;
  }
}

const dateOf = (value: unknown) => (value instanceof Date ? value : null);
const textOf = (value: unknown) => (typeof value === 'string' ? value : null);
const numberOf = (value: unknown) => (typeof value === 'number' ? value : null);

function alarmOf(document: Document): StoredAlarm[] {
  const fields = document as Record<string, unknown>;
  const kind = ALARM_KINDS.find((known) => known === fields['kind']);
  const opened = dateOf(fields['opened']);
  if (kind === undefined || opened === null) return [];
  return [
    {
      key: String(fields['_id']),
      kind: kind satisfies AlarmKind,
      run: numberOf(fields['run']),
      host: textOf(fields['host']),
      what: textOf(fields['what']) ?? '',
      todo: textOf(fields['todo']) ?? '',
      since: dateOf(fields['since']),
      open: fields['open'] === true,
      episode: numberOf(fields['episode']) ?? 0,
      opened,
      over: dateOf(fields['over']),
      told: toldOf(fields['told']),
    },
  ];
}

function toldOf(value: unknown): StoredAlarm['told'] {
  const told: StoredAlarm['told'] = {};
  const given = (typeof value === 'object' && value !== null ? value : {}) as Record<
    string,
    unknown
  >;
  for (const receiver of RECEIVERS) {
    const { episode, said, at } = (given[receiver] ?? {}) as Record<string, unknown>;
    const date = dateOf(at);
    if (typeof episode !== 'number' || date === null) continue;
    if (said === 'raised' || said === 'cleared') {
      told[receiver] = { episode, said, at: date } satisfies Told;
    }
  }
  return told;
}

function receiverOf(document: Document): ReceiverDocument[] {
  const fields = document as Record<string, unknown>;
  const destination = DESTINATIONS.find((known) => known === fields['destination']);
  if (destination === undefined) return [];
  return [
    {
      destination,
      turn: numberOf(fields['turn']) ?? 0,
      claimedBy: textOf(fields['claimed_by']),
      claimedUntil: dateOf(fields['claimed_until']),
      next: dateOf(fields['next']),
      sent: dateOf(fields['sent']),
      failures: numberOf(fields['failures']) ?? 0,
      failingSince: dateOf(fields['failing_since']),
      problem: textOf(fields['problem']),
    },
  ];
}
