import type { Document } from 'mongodb';

import { literal, setBootstrax, unsetBootstrax } from '../infra/mongo/expressions.ts';
import type { DataRegistration, PlanSummary } from './run.port.ts';
import { registerStage } from './run-data.ts';
import { finishedStatus } from './run-updates.ts';

/** The attempt that makes the debt of a done run. */
interface Owner {
  attempt: string;
  host: string;
}

/** Holds a done run while its debt is made; also the heartbeat of that holder. */
export function debtHeldUpdate({ attempt, host }: Owner): Document[] {
  return [
    setBootstrax({ debt: { attempt: literal(attempt), host: literal(host), time: '$$NOW' } }),
  ];
}

/** Heartbeat of all debts at once that wait for a place. */
export function debtsWaitingUpdate(): Document[] {
  return [setBootstrax({ debt: { $mergeObjects: ['$bootstrax.debt', { time: '$$NOW' }] } })];
}

/** Removes the status until the debt is made, so that no later program takes the run meanwhile. */
export function debtClaimUpdate(owner: Owner): Document[] {
  return [...debtHeldUpdate(owner), { $set: { status: null } }];
}

/** Lists the new products and hands the run on. */
export function debtPaidUpdate(
  { attempt, host }: Owner,
  { register, plan }: { register: readonly DataRegistration[]; plan: PlanSummary },
): Document[] {
  return [
    ...(register.length > 0 ? [registerStage(host, register)] : []),
    setBootstrax({ time: '$$NOW', plan: literal(plan), debt_paid: literal(attempt) }),
    unsetBootstrax('debt'),
    { $set: { status: finishedStatus } },
  ];
}

/** Hands the run on as it was; a run that is no longer done gets no status. */
export function debtReleasedUpdate(): Document[] {
  const isDone = { $eq: ['$bootstrax.state', 'done'] };
  return [
    unsetBootstrax('debt'),
    { $set: { status: { $cond: [isDone, finishedStatus, '$status'] } } },
  ];
}
