import { resolve } from 'node:path';

import type { Plan } from '../attempt/attempt.pure.ts';
import type { Failed, Outcome } from '../attempt/outcome.pure.ts';
import type { ExecutorName } from '../executors/executor-name.pure.ts';
import { counted } from '../infra/values/counted.pure.ts';
import type { Environment } from '../ports/environment.ts';
import { notifyDaq, tellDaq } from '../ports/notify.ts';
import { untilAnswered } from '../ports/persist.ts';
import type { AttemptDocument } from '../retry/attempt-history.port.ts';
import type { Fault } from '../retry/backoff.pure.ts';
import { learnedFrom } from '../retry/learned-history.pure.ts';
import { documentMark, markOf, type Unmendable, unmendable } from '../retry/unmendable.pure.ts';
import { idText } from '../run/document-id.ts';
import type { Fence } from '../run/run.port.ts';
import { problemsText, type Run } from '../run/run.pure.ts';
import type { FaultSeen } from '../run/stored-run.pure.ts';
import { dataRate } from './data-rate.ts';
import { hostTargetsOf } from './host-targets.pure.ts';
import { jobFor, withoutGrowing } from './job-of-run.ts';
import { makePlan, onlyRawText, resolveLiveDirectory, rungAfter } from './plan.pure.ts';
import { dependsOnHost, type HostTargets } from './targets.pure.ts';

/** Number of the newest attempts at a run that are read for culprits. */
const ATTEMPTS_LOOKED_AT = 50;
/** Interval of the poll for the folder of live data: network file systems send no events. */
const FOLDER_POLL_SECONDS = 0.5;

/** For which attempt a plan is, and where that is to run. */
export interface PlanFor {
  fence: Fence;
  to: ExecutorName;
}

export type Prepared =
  | { kind: 'planned'; plan: Plan }
  | Extract<Outcome, { kind: 'failed' | 'set_aside' }>
  | { kind: 'stopped' };

/**
 * From the claim to a plan: the checks before the start, the data rate, the history of earlier attempts.
 * Writes nothing to the run document; `signal` stops the waiting.
 */
export async function prepare(
  env: Environment,
  run: Run,
  { fence, to }: PlanFor,
  signal: AbortSignal,
): Promise<Prepared> {
  const live = resolveLiveDirectory(run, env.liveDataRoots);
  if (live.kind === 'run_problem') {
    const fault = unmendable(run, { kind: 'missing', path: '' });
    return fault === null ? withoutPlan(live) : setAsideFor(fault);
  }
  if (live.kind !== 'directory') return withoutPlan(live);
  const appears = await liveFolderAppears(env, live.path, run, signal);
  if (signal.aborted) return { kind: 'stopped' };
  const look = await env.machine.liveData(live.path);
  if (look.kind === 'unseen') return failed(look.why, 'surroundings');
  const fault = unmendable(run, look);
  if (fault !== null && !fault.canBeRead) return setAsideFor(fault);
  if (!appears) {
    return failed(
      `the live data of run ${run.number} is missing: there is no folder ${live.path}. ` +
        `Restore it and use 'bootstrax retry ${run.number}', or abandon the run.`,
      'run',
    );
  }
  const [rate, history, hostTargets] = await Promise.all([
    dataRate(env, run, signal),
    historyOf(env, run, signal),
    hostTargetsFor(env, run, signal),
  ]);
  if (signal.aborted) return { kind: 'stopped' };
  const { failures: before, askedFailures } = run.bootstrax;
  const learned = learnedFrom(withoutGrowing(env, to, history), before, askedFailures);
  warnOfGaps(env, run, rate.unknown);
  const made = makePlan(run, {
    ...planInputsOf(env, { fence, to }),
    ...learned,
    job: jobFor(env, { run, to, rateMBps: rate.rateMBps, history }),
    hostTargets,
    onlyRaw: fault === null ? null : onlyRawText(fault.problems),
    rateMBps: rate.rateMBps,
    profile: env.profile,
    // On another machine nobody could end a child before the next one opens them.
    frontends: to === 'local' ? env.frontends : [],
  });
  if (made.kind === 'malformed') {
    // The document can be read, but the context rejects it: the run is tried again only once it changes.
    const faultSeen = await faultSeenNow(env, run, live.path);
    return { kind: 'set_aside', cause: { kind: 'malformed', problems: made.problems, faultSeen } };
  }
  // A fault of the targets: other runs and later attempts would fail as well.
  if (made.kind === 'host_problem') return failed(made.reason, 'configuration');
  if (made.kind !== 'plan') return withoutPlan(made);
  const { plan } = made;
  tellOfFewer(env, run, plan);
  return { kind: 'planned', plan: { ...plan, ...replacing(env.host, run) } };
}

/** What is not known of a run, and processed all the same. */
function warnOfGaps(env: Environment, run: Run, rateUnknown: string | null): void {
  if (rateUnknown !== null) {
    const message = `run ${run.number} gets default resources, because its data rate is not known: ${rateUnknown}`;
    env.log.warn({ event: 'rate.unknown', run: run.number, why: rateUnknown }, message);
    notifyDaq(env, 'warning', message, run.number);
  }
  if (run.daq.defaulted.length > 0) {
    const message = `the document of run ${run.number} lacks ${run.daq.defaulted.map((name) => `daq_config.${name}`).join(', ')}: the defaults of the readers are used`;
    env.log.warn({ event: 'daq_config.defaulted', run: run.number }, message);
    notifyDaq(env, 'warning', message, run.number);
  }
  if (run.oddities.length > 0) {
    const message = `the document of run ${run.number} has oddities: ${problemsText(run.oddities)}. The run is processed all the same`;
    env.log.warn({ event: 'document.odd', run: run.number, oddities: run.oddities }, message);
    notifyDaq(env, 'warning', message, run.number);
  }
}

function tellOfFewer(env: Environment, run: Run, plan: Plan): void {
  const failures = rungAfter(run.bootstrax)(plan.failures);
  if (failures === 0 || env.rules.resources.fixed) return;
  const message = `resources of run ${run.number} on ${env.host} are lowered after ${counted(failures, 'failure')}: ${counted(plan.cores, 'core')}, ${counted(plan.maxMessages, 'message')}, timeout ${plan.timeoutSeconds} s`;
  env.log.info({ event: 'resources.lowered', run: run.number }, message);
  notifyDaq(env, 'info', message, run.number);
}

/** Products that are listed here and stay until the new ones are there, if a person wants that. */
function replacing(host: string, run: Run): Pick<Plan, 'replaces'> {
  if (run.bootstrax.keepProducts !== true) return {};
  const listed = locationsOn(host, run).map((location) => resolve(location));
  return listed.length === 0 ? {} : { replaces: listed };
}

/** The inputs of a plan that depend only on this host and the claim, for a run and for a debt. */
export function planInputsOf(env: Environment, { fence }: PlanFor) {
  return {
    attempt: fence.attempt,
    runDocument: idText(fence.id),
    host: env.host,
    rules: env.rules,
    hostTable: env.resourceTable,
    shedding: env.rules.targets.shedding,
    graph: env.graph(),
    context: env.context,
    contextOptions: env.contextOptions,
    processor: env.processor,
    debug: env.debug,
    pictures: env.pictures,
    liveDataRoots: env.liveDataRoots,
    outputDirectory: env.outputDirectory,
    stagingDirectory: env.stagingDirectory,
  };
}

/** Marks of document and live data of a run whose fault neither of them shows by itself. */
export async function faultSeenNow(env: Environment, run: Run, path: string): Promise<FaultSeen> {
  const live = await env.machine.liveData(path, { thorough: true });
  return { document: documentMark(run), live: markOf(live) };
}

/** Locations of the products of a run on a host, from its document. */
export function locationsOn(host: string, run: Run): string[] {
  return run.data.flatMap((entry) =>
    entry.host === host && entry.location !== null ? [entry.location] : [],
  );
}

function withoutPlan(
  no: Exclude<ReturnType<typeof makePlan>, { kind: 'plan' }>,
): Exclude<Prepared, { kind: 'planned' | 'stopped' }> {
  switch (no.kind) {
    case 'malformed':
      return { kind: 'set_aside', cause: { kind: 'malformed', problems: no.problems } };
    case 'host_problem':
      return failed(no.reason, 'surroundings');
    case 'run_problem':
      return failed(no.reason, 'run');
  }
}

function setAsideFor(fault: Unmendable): Extract<Outcome, { kind: 'set_aside' }> {
  return { kind: 'set_aside', cause: { kind: 'unmendable', ...fault } };
}

function failed(reason: string, fault: Fault): Failed {
  return {
    kind: 'failed',
    fault,
    reason,
    traceback: '',
    culprit: null,
    cause: fault === 'run' ? { kind: 'finished' } : { kind: 'host_problem', reason },
    ...(fault === 'run' ? { shortOf: 'live_data' as const } : {}),
  };
}

async function historyOf(
  env: Environment,
  run: Run,
  signal: AbortSignal,
): Promise<readonly AttemptDocument[]> {
  const { failures, uncounted } = run.bootstrax;
  if (failures === 0 && uncounted === 0) return [];
  const history = await untilAnswered(env, `history of run ${run.number}`, signal, () =>
    env.store.attempts.ofRun(run.number, ATTEMPTS_LOOKED_AT),
  );
  return history ?? [];
}

/** Targets that the DAQ's operators have set for this host in the mode of the run; null: none. */
export async function hostTargetsFor(
  env: Environment,
  run: Run,
  signal: AbortSignal,
): Promise<HostTargets | null> {
  if (!dependsOnHost(run.mode, env.rules.targets)) return null;
  const read = await untilAnswered(env, `targets of ${env.host}`, signal, async () => ({
    document: await env.store.hostTargets.document(),
  }));
  if (read === null) return null;
  const answer = hostTargetsOf(read.document, env.host);
  switch (answer.kind) {
    case 'default':
      return null;
    case 'targets':
      return answer.hostTargets;
    case 'broken': {
      const message = `run ${run.number} (${run.mode}) gets the default targets: the DAQ's configuration of event builders (bootstrax_config) cannot be used: ${answer.problem}. Correct that document`;
      env.log.error({ event: 'host_targets.broken', run: run.number }, message);
      await tellDaq(env, 'error', message, run.number);
      return null;
    }
  }
}

/** Waits for the folder of a run that is being taken: the readers create it with their first file. */
async function liveFolderAppears(
  env: Environment,
  path: string,
  run: Run,
  signal: AbortSignal,
): Promise<boolean> {
  const limit = env.clock.monotonicSeconds() + env.rules.limits.maxRateSeconds;
  while (!(await env.machine.isFolder(path))) {
    const late = env.clock.monotonicSeconds() > limit;
    if (run.end !== null || late || signal.aborted) return false;
    await env.clock.sleep(FOLDER_POLL_SECONDS, signal);
  }
  return true;
}
