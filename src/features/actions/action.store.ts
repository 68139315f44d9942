import type { Collection as DriverCollection, Document } from 'mongodb';

import { systemClock } from '../../infra/clock/clock.ts';
import type { Caller } from '../../infra/mongo/call.ts';
import type { Collection } from '../../infra/mongo/collection.ts';
import { inSeconds, literal } from '../../infra/mongo/expressions.ts';
import type { IndexSpec } from '../../infra/mongo/indexes.ts';
import { DUPLICATE_KEY, StoreError } from '../../infra/mongo/store-error.ts';
import { follow } from '../../infra/mongo/watch.ts';
import type { Standing } from './acknowledgement.pure.ts';
import type { ActionDocument, ActionQuery, ActionRequest, ActionStore } from './action.port.ts';

export const ACTIONS_COLLECTION = 'bootstrax_actions';
export const ACKNOWLEDGEMENTS_COLLECTION = 'bootstrax_acknowledgements';

const index = (name: string, key: Record<string, 1 | -1>): IndexSpec => ({
  database: 'runs',
  collection: ACTIONS_COLLECTION,
  name,
  key,
});

export const ACTION_INDEXES: readonly IndexSpec[] = [
  index('state', { state: 1 }),
  index('run', { run: 1 }),
  index('host', { host: 1 }),
  index('item', { item: 1 }),
  index('requested', { requested: 1 }),
];

const OPEN = ['requested', 'seen'];
const MOST_OPEN = 1000;
const MOST_OF_ONE = 1000;
const MOST_STANDING = 2000;
/** More actions than are requested within one millisecond. */
const TIES = 50;
const SECONDS_PER_HOUR = 3600;
/** Days in which a page of actions is searched: more and more, until the page is full. */
const WINDOW_DAYS = [1, 30, 36_500];
const DAY_MS = 86_400_000;

// The first request stays.
export function requestUpdate({ id: _, ...request }: ActionRequest): Document[] {
  const fields = Object.entries(request).map(([name, value]) => [name, literal(value)]);
  const blank = {
    ...(Object.fromEntries(fields) as Document),
    state: 'requested',
    requested: '$$NOW',
    ...{ seen_by: null, ended: null, message: null, expires: null, after: null, attempt: null },
  };
  const isNew = { $eq: [{ $type: '$state' }, 'missing'] };
  const ifNew = ([name, value]: [string, unknown]) => [name, { $cond: [isNew, value, `$${name}`] }];
  return [{ $set: Object.fromEntries(Object.entries(blank).map(ifNew)) as Document }];
}

export function createActionStore(
  actions: Collection,
  acknowledgements: Collection,
  watch: ActionStore['watch'],
): ActionStore {
  // The id is a string of ours, not an ObjectId of the driver's.
  const byId = (id: string) => ({ _id: id }) as Document;
  const stillOpen = (id: string) => ({ _id: id, state: { $in: OPEN } }) as Document;
  const noticed = (host: string | undefined) =>
    host === undefined
      ? {}
      : { seen_by: { $ifNull: ['$seen_by', { host: literal(host), at: '$$NOW' }] } };

  return {
    request: async (request) => {
      await actions.repeatUpdateOne('actions.request', byId(request.id), requestUpdate(request), {
        upsert: true,
      });
    },
    awaitHost: async (id, { host, attempt, message, after }) => {
      await actions.repeatUpdateOne('actions.await', stillOpen(id), [
        {
          $set: {
            awaits: literal(host),
            attempt: literal(attempt),
            message: literal(message),
            after: literal(after),
          },
        },
      ]);
    },
    seen: async (id, host) => {
      await actions.repeatUpdateOne('actions.seen', stillOpen(id), [
        { $set: { state: 'seen', ...noticed(host) } },
      ]);
    },
    done: async (id, { message, after, expires, host }) => {
      const ends =
        expires === undefined || expires === null || expires instanceof Date
          ? literal(expires ?? null)
          : inSeconds(expires.hours * SECONDS_PER_HOUR);
      await actions.repeatUpdateOne('actions.end', { _id: id, state: { $ne: 'done' } }, [
        {
          $set: {
            ...noticed(host),
            ...(after === undefined ? {} : { after: literal(after) }),
            ...{ state: 'done', message: literal(message), expires: ends, ended: '$$NOW' },
          },
        },
      ]);
    },
    refuse: async (id, why, host) => {
      await actions.repeatUpdateOne('actions.end', stillOpen(id), [
        {
          $set: { ...noticed(host), state: 'refused', message: literal(why), ended: '$$NOW' },
        },
      ]);
    },
    get: async (id) => {
      const [document] = await actions.find(byId(id), { limit: 1 });
      return document === undefined ? null : actionOf(document);
    },
    list: (query) => list(actions, query),
    open: async () =>
      (await actions.find({ state: { $in: OPEN } }, { limit: MOST_OPEN }))
        .map(actionOf)
        .sort((a, b) => a.requested.getTime() - b.requested.getTime()),

    standing: async () =>
      (await acknowledgements.find({}, { limit: MOST_STANDING })).flatMap(standingOf),
    acknowledge: async ({ item, action, occurrence, by, reason, hours }, replaces) => {
      const present = { _id: item, action: replaces } as unknown as Document;
      const fields = {
        ...{ action, occurrence: literal(occurrence), by: literal(by), reason: literal(reason) },
        at: '$$NOW',
        expires: hours === null ? literal(null) : inSeconds(hours * SECONDS_PER_HOUR),
      };
      try {
        const landed = await acknowledgements.repeatUpdateOne(
          'actions.acknowledge',
          present,
          [{ $set: fields }],
          { upsert: replaces === null },
        );
        if (landed === 1) return 'landed';
      } catch (error) {
        // Another process was first, or this write landed and its answer was lost.
        if (!(error instanceof StoreError) || error.code !== DUPLICATE_KEY) throw error;
      }
      const [now] = await acknowledgements.find({ _id: item }, { limit: 1 });
      return now?.action === action ? 'landed' : 'changed';
    },
    watch,
  };
}

async function list(
  actions: Collection,
  { run, host, item, before, limit }: ActionQuery,
): Promise<ActionDocument[]> {
  const about = {
    ...(run === undefined ? {} : { run }),
    ...(host === undefined ? {} : { host: { $eq: host } }),
    ...(item === undefined ? {} : { item: { $eq: item } }),
  };
  if (Object.keys(about).length > 0) {
    const all = await actions.find(about, { limit: MOST_OF_ONE });
    return newestFirst(all.map(actionOf), before).slice(0, limit);
  }
  const toMs = before?.requested.getTime() ?? systemClock.now().getTime();
  // What the server has written later than this machine's clock says is not left out.
  const upTo = before === undefined ? {} : { $lte: before.requested };
  let found: ActionDocument[] = [];
  for (const days of WINDOW_DAYS) {
    const from = new Date(toMs - days * DAY_MS);
    const some = await actions.find(
      { requested: { $gte: from, ...upTo } },
      { sort: { requested: -1 }, limit: limit + TIES },
    );
    found = newestFirst(some.map(actionOf), before).slice(0, limit);
    if (found.length === limit) break;
  }
  return found;
}

function newestFirst(all: ActionDocument[], before: ActionQuery['before']): ActionDocument[] {
  const older = ({ requested, id }: ActionDocument) =>
    before === undefined ||
    requested < before.requested ||
    (requested.getTime() === before.requested.getTime() && id < before.id);
  return all
    .filter(older)
    .sort((a, b) => b.requested.getTime() - a.requested.getTime() || (a.id < b.id ? 1 : -1));
}

/** Reads an action; a field of a wrong type gets a default. */
function actionOf(document: Document): ActionDocument {
  const fields = document as Record<string, unknown>;
  const text = (name: string) => (typeof fields[name] === 'string' ? fields[name] : null);
  const number = (name: string) => (typeof fields[name] === 'number' ? fields[name] : null);
  const date = (name: string) => (fields[name] instanceof Date ? fields[name] : null);
  const seenBy = objectOf(fields['seen_by']);
  return {
    id: String(fields['_id']),
    kind: text('kind') as ActionDocument['kind'],
    run: number('run'),
    host: text('host'),
    item: text('item'),
    by: text('by') ?? '?',
    via: text('via') === 'dashboard' ? 'dashboard' : 'command',
    reason: text('reason') ?? '',
    saw: text('saw') ?? '',
    hours: number('hours'),
    before: objectOf(fields['before']),
    awaits: text('awaits'),
    state: (text('state') ?? 'requested') as ActionDocument['state'],
    requested: date('requested') ?? new Date(0),
    seenBy:
      typeof seenBy?.['host'] === 'string' && seenBy['at'] instanceof Date
        ? { host: seenBy['host'], at: seenBy['at'] }
        : null,
    ended: date('ended'),
    message: text('message'),
    expires: date('expires'),
    after: objectOf(fields['after']),
    attempt: text('attempt'),
  };
}

function standingOf(document: Document): Standing[] {
  const {
    _id: item,
    action,
    occurrence,
    by,
    reason,
    at,
    expires,
  } = document as Record<string, unknown>;
  if (typeof action !== 'string' || !(at instanceof Date)) return [];
  return [
    {
      item: String(item),
      action,
      occurrence: String(occurrence),
      by: String(by),
      reason: String(reason),
      at: at.toISOString(),
      expires: expires instanceof Date ? expires.toISOString() : null,
    },
  ];
}

function objectOf(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
}

export function watchActions(
  collection: () => DriverCollection,
  caller: Caller,
): ActionStore['watch'] {
  return (onHint, signal) =>
    follow({
      collection,
      caller,
      pipeline: [{ $project: { operationType: 1 } }],
      onEvent: onHint,
      onGap: onHint,
      signal,
      onlyIfQuiet: true,
    });
}
