import type { Document } from 'mongodb';

import { OFFERABLE_RESTRAX, OFFERABLE_STATUS } from './debt.pure.ts';
import { attemptOf } from '../../retry/attempt-history.store.ts';
import type { Collection } from '../../infra/mongo/collection.ts';
import { compareAndSet } from '../../infra/mongo/compare-and-set.ts';
import { literal, objectAt, setBootstrax, unsetBootstrax } from '../../infra/mongo/expressions.ts';
import { registerStage } from '../../run/run-data.ts';
import { RUN_PROJECTION, seenFilter } from '../../run/run-filters.ts';
import { statusStage } from '../../run/run-updates.ts';
import type { DebtFence, DebtStore } from './debt.port.ts';
import type { RunDocument } from '../../run/run.port.ts';

const PROJECTION = { ...RUN_PROJECTION, 'restrax.state': 1 } as const;

/** In `runs`: `done`, and ours for the debt; nobody has given it a status meanwhile. */
export function debtFilter({ attempt, host }: DebtFence): Document {
  return {
    'bootstrax.state': 'done',
    'bootstrax.host': host,
    'bootstrax.debt.attempt': attempt,
    status: null,
  };
}

function heldBy({ attempt, host }: DebtFence): Document {
  return setBootstrax({ debt: { attempt: literal(attempt), host: literal(host), time: '$$NOW' } });
}

function debtOf(document: Document): Record<string, unknown> {
  const bootstrax = document.bootstrax as { debt?: unknown } | null | undefined;
  const debt = bootstrax?.debt;
  return typeof debt === 'object' && debt !== null ? (debt as Record<string, unknown>) : {};
}

/** Debts are kept in the history of the attempts that left them, and held in the run document. */
export function createDebtStore(runs: Collection, attempts: Collection): DebtStore {
  const projection = { bootstrax: 1, status: 1 };
  const ours =
    ({ attempt }: DebtFence) =>
    (document: Document) =>
      debtOf(document)['attempt'] === attempt;

  const read = async (filter: Document) =>
    (await runs.find(filter, { projection: PROJECTION })) as RunDocument[];

  return {
    open: async ({ since, host, limit }) => {
      const found = await attempts.find(
        {
          // By the index of a host's attempts, or of all that did not count.
          ...(host === undefined ? { 'result.counted': false } : { host }),
          ended: { $gte: since },
          'result.outcome': 'done',
          'result.dropped.0': { $exists: true },
          'debt.paid': { $ne: true },
        },
        { sort: { ended: -1 }, limit },
      );
      return found.map(attemptOf);
    },
    offered: async (host, limit) =>
      (await attempts.find({ host, 'debt.offered': true }, { limit })).map(attemptOf),
    runs: (numbers) =>
      numbers.length === 0 ? Promise.resolve([]) : read({ number: { $in: [...numbers] } }),
    run: async (id) => (await read({ _id: id }))[0] ?? null,
    note: async (attempt, fields) => {
      const byId = { _id: attempt } as unknown as Document;
      const noted = { $mergeObjects: [objectAt('$debt'), literal(fields)] };
      await attempts.repeatUpdateOne('attempts.debt', byId, [{ $set: { debt: noted } }]);
    },

    claim: async (seen, owner) => {
      const fence = { id: seen.id, ...owner };
      const done = await compareAndSet(runs, {
        write: 'runs.debt_claim',
        id: seen.id,
        expected: {
          ...seenFilter({ ...seen, state: 'done', host: owner.host }),
          'bootstrax.debt.attempt': null,
          status: { $in: [...OFFERABLE_STATUS] },
          'restrax.state': { $in: [...OFFERABLE_RESTRAX] },
        },
        update: [heldBy(fence), { $set: { status: null } }],
        projection,
        landed: ours(fence),
      });
      return done ? 'claimed' : 'lost';
    },
    renew: async (fence) => {
      const done = await compareAndSet(runs, {
        write: 'runs.debt_renew',
        id: fence.id,
        expected: debtFilter(fence),
        update: [heldBy(fence)],
        projection,
        landed: () => false,
      });
      return done ? 'landed' : 'superseded';
    },
    pay: async (fence, { register, plan }, again = false) => {
      const done = await compareAndSet(runs, {
        write: 'runs.debt_pay',
        id: fence.id,
        expected: debtFilter(fence),
        update: [
          ...(register.length > 0 ? [registerStage(fence.host, register)] : []),
          setBootstrax({ time: '$$NOW', plan: literal(plan), debt_paid: literal(fence.attempt) }),
          unsetBootstrax('debt'),
          statusStage(),
        ],
        projection,
        landed: ({ bootstrax }) =>
          (bootstrax as { debt_paid?: unknown } | null)?.debt_paid === fence.attempt,
        repeated: again,
      });
      return done ? 'landed' : 'superseded';
    },
    giveBack: async (fence) => {
      await runs.repeatUpdateOne(
        'runs.debt_give_back',
        { _id: fence.id, 'bootstrax.debt.attempt': fence.attempt },
        [unsetBootstrax('debt'), handedOn()],
      );
    },
    release: async (seen, debt) => {
      const { attempt, time } = (debt ?? {}) as { attempt?: unknown; time?: unknown };
      const done = await compareAndSet(runs, {
        write: 'runs.debt_give_back',
        id: seen.id,
        expected: {
          ...seenFilter(seen),
          'bootstrax.debt.attempt': { $eq: attempt ?? null },
          'bootstrax.debt.time': { $eq: time ?? null },
        },
        update: [unsetBootstrax('debt'), handedOn()],
        projection,
        landed: (document) => debtOf(document)['attempt'] === undefined,
      });
      return done ? 'landed' : 'changed';
    },
  };
}

/** A run that is not done any more has no status to get. */
function handedOn(): Document {
  const stage = statusStage() as { $set: { status: unknown } };
  return {
    $set: {
      status: { $cond: [{ $eq: ['$bootstrax.state', 'done'] }, stage.$set.status, '$status'] },
    },
  };
}
