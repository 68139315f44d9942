import type { Document } from 'mongodb';

import { literal, setBootstrax, unsetBootstrax } from '../infra/mongo/expressions.ts';
import { registerStage } from './run-data.ts';
import { finishedStatus } from './run-updates.ts';
import type { DataRegistration, PlanSummary } from './run.port.ts';

/** Who makes what a done run lacks. */
interface Owner {
  attempt: string;
  host: string;
}

/** Holds a done run for what it lacks; a heartbeat as well. */
export function debtHeldUpdate({ attempt, host }: Owner): Document[] {
  return [
    setBootstrax({ debt: { attempt: literal(attempt), host: literal(host), time: '$$NOW' } }),
  ];
}

/** Its status is taken away until the end, so that nobody goes on with it meanwhile. */
export function debtClaimUpdate(owner: Owner): Document[] {
  return [...debtHeldUpdate(owner), { $set: { status: null } }];
}

/** What was added is listed, and the run is handed on. */
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

/** The run is handed on as it was; one that is not done any more has no status to get. */
export function debtReleasedUpdate(): Document[] {
  const isDone = { $eq: ['$bootstrax.state', 'done'] };
  return [
    unsetBootstrax('debt'),
    { $set: { status: { $cond: [isDone, finishedStatus, '$status'] } } },
  ];
}
