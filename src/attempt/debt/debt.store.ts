import type { Document } from 'mongodb';

import type { Collection } from '../../infra/mongo/collection.ts';
import { compareAndSet } from '../../infra/mongo/compare-and-set.ts';
import { literal, objectAt } from '../../infra/mongo/expressions.ts';
import { attemptOf } from '../../retry/attempt-history.store.ts';
import {
  debtClaimUpdate,
  debtHeldUpdate,
  debtPaidUpdate,
  debtReleasedUpdate,
  debtsWaitingUpdate,
} from '../../run/debt-updates.ts';
import { readRun } from '../../run/run.pure.ts';
import type { Seen } from '../../run/run-document.port.ts';
import { RUN_PROJECTION, seenFilter } from '../../run/run-filters.ts';
import { storedRuns } from '../../run/stored-runs.ts';
import type { DebtFence, DebtStore } from './debt.port.ts';
import { OFFERABLE_RESTRAX, OFFERABLE_STATUS } from './debt.pure.ts';

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

/** Those of these debts that are still held as they were. */
export function debtsWaitingFilter(fences: readonly DebtFence[]): Document {
  return {
    _id: { $in: fences.map(({ id }) => id) },
    'bootstrax.state': 'done',
    'bootstrax.host': { $in: [...new Set(fences.map(({ host }) => host))] },
    'bootstrax.debt.attempt': { $in: fences.map(({ attempt }) => attempt) },
    status: null,
  };
}

/** Debts are kept in the history of the attempts that left them, and held in the run document. */
export function createDebtStore(runs: Collection, attempts: Collection): DebtStore {
  return { ...debtsLeft(attempts), ...runsWithDebts(runs), ...debtsHeld(runs) };
}

const HELD_PROJECTION = { bootstrax: 1, status: 1 };

/** In the history of attempts. */
function debtsLeft(attempts: Collection): Pick<DebtStore, 'open' | 'offered' | 'note'> {
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
    note: async (attempt, fields) => {
      const byId = { _id: attempt } as unknown as Document;
      const noted = { $mergeObjects: [objectAt('$debt'), literal(fields)] };
      await attempts.repeatUpdateOne('attempts.debt', byId, [{ $set: { debt: noted } }]);
    },
  };
}

function runsWithDebts(runs: Collection): Pick<DebtStore, 'runs' | 'run' | 'byIds'> {
  const read = async (filter: Document) =>
    storedRuns(await runs.find(filter, { projection: PROJECTION }));
  return {
    runs: (numbers) =>
      numbers.length === 0 ? Promise.resolve([]) : read({ number: { $in: [...numbers] } }),
    run: async (id) => (await read({ _id: id }))[0] ?? null,
    byIds: (ids) => (ids.length === 0 ? Promise.resolve([]) : read({ _id: { $in: [...ids] } })),
  };
}

/** In the run documents: each write only while the debt is as it was read. */
function debtsHeld(
  runs: Collection,
): Pick<DebtStore, 'claim' | 'renew' | 'renewWaiting' | 'pay' | 'giveBack' | 'release'> {
  return {
    claim: (seen, owner) => claimDebt(runs, seen, owner),
    renew: async (fence) => {
      const done = await compareAndSet(runs, {
        write: 'runs.debt_renew',
        id: fence.id,
        expected: debtFilter(fence),
        update: debtHeldUpdate(fence),
        projection: HELD_PROJECTION,
        landed: () => false,
      });
      return done ? 'landed' : 'superseded';
    },
    renewWaiting: (fences) =>
      runs.repeatUpdateAll('runs.debt_renew', debtsWaitingFilter(fences), debtsWaitingUpdate()),
    pay: async (fence, made, again = false) => {
      const done = await compareAndSet(runs, {
        write: 'runs.debt_pay',
        id: fence.id,
        expected: debtFilter(fence),
        update: debtPaidUpdate(fence, made),
        projection: HELD_PROJECTION,
        landed: (document) => readRun(document).own.debtPaid === fence.attempt,
        repeated: again,
      });
      return done ? 'landed' : 'superseded';
    },
    giveBack: async (fence) => {
      await runs.repeatUpdateOne(
        'runs.debt_give_back',
        { _id: fence.id, 'bootstrax.debt.attempt': fence.attempt },
        debtReleasedUpdate(),
      );
    },
    release: async (seen, debt) => {
      const done = await compareAndSet(runs, {
        write: 'runs.debt_give_back',
        id: seen.id,
        expected: {
          ...seenFilter(seen),
          'bootstrax.debt.attempt': { $eq: debt.attempt },
          'bootstrax.debt.time': { $eq: debt.time },
        },
        update: debtReleasedUpdate(),
        projection: HELD_PROJECTION,
        landed: (document) => (readRun(document).own.debt?.attempt ?? null) === null,
      });
      return done ? 'landed' : 'changed';
    },
  };
}

async function claimDebt(
  runs: Collection,
  seen: Seen,
  owner: { attempt: string; host: string },
): Promise<'claimed' | 'lost'> {
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
    update: debtClaimUpdate(fence),
    projection: HELD_PROJECTION,
    landed: (document) => readRun(document).own.debt?.attempt === fence.attempt,
  });
  return done ? 'claimed' : 'lost';
}
