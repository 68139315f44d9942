import { join } from 'node:path';

import type { AttemptFiles } from '../attempts/directory.ts';
import type { Plan } from '../domain/attempt.ts';
import { parseRun, type Run } from '../domain/run.ts';
import type { RunDocument } from '../store/types.ts';
import type { AttemptBook } from './attempt-book.ts';
import type { Environment } from './environment.ts';
import { untilAnswered } from './persist.ts';
import { NOBODY } from './supervise.ts';

/** What is kept of concluded attempts: their logs are what a person wants to read next week. */
const RETENTION = { keep: 500, maxBytes: 2e9, maxLogBytes: 5e6 };

export interface RecoveryHandlers {
  /** The attempt is still this host's: go on with it. */
  adopt: (run: Run, document: RunDocument, files: AttemptFiles & { plan: Plan }) => void;
}

/**
 * Brings order into what an earlier manager of this host left behind, before any work: attempts on
 * disk that are not concluded, and runs claimed by this host without an attempt. Safe to repeat.
 */
export async function recover(
  env: Environment,
  book: AttemptBook,
  handlers: RecoveryHandlers,
  signal: AbortSignal,
): Promise<void> {
  for (const id of await env.attempts.listOpen()) {
    if (book.has(id) || signal.aborted) continue;
    const files = await env.attempts.read(id);
    if (files !== null) await recoverAttempt(env, files, handlers, signal);
  }
  await requeueUnbegun(env, book, signal);
  await closeHistory(env, book, signal);
  await env.attempts.prune(RETENTION);
}

async function recoverAttempt(
  env: Environment,
  files: AttemptFiles,
  handlers: RecoveryHandlers,
  signal: AbortSignal,
): Promise<void> {
  const { plan } = files;
  if (plan === null) {
    // Without a plan nothing was started; the run itself is found by its claim.
    await env.attempts.markConcluded(files.directory);
    return;
  }
  const found = await untilAnswered(env, `run ${plan.run}`, signal, () =>
    env.store.runs.byNumber(plan.run),
  );
  if (found === null) return;
  for (const document of found) {
    const parsed = parseRun(document);
    if (parsed.kind !== 'run') continue;
    const { state, attempt, host } = parsed.run.bootstrax;
    if (attempt !== plan.attempt || host !== env.host) continue;
    if (state === 'busy') {
      handlers.adopt(parsed.run, document, { ...files, plan });
      env.log.info(
        { event: 'attempt.adopted', run: plan.run, attempt: plan.attempt },
        `run ${plan.run} goes on: taken over from an earlier manager of this host`,
      );
      return;
    }
    if (state === 'considering') {
      // Claimed, but no child was ever made: `requeueUnbegun` gives it back.
      await env.attempts.markConcluded(files.directory);
      return;
    }
  }
  await cleanUpLostAttempt(env, files, plan, found, signal);
}

/**
 * The run is settled or somebody else's. If this attempt had concluded it as done, only the note of
 * that is missing; otherwise its processes end, and its entries and folders go.
 */
async function cleanUpLostAttempt(
  env: Environment,
  files: AttemptFiles,
  plan: Plan,
  documents: readonly RunDocument[],
  signal: AbortSignal,
): Promise<void> {
  await env.machine.endSession({
    guardian: files.started?.guardian ?? NOBODY,
    child: files.started?.child ?? NOBODY,
    logFile: join(files.directory, 'log.txt'),
  });
  const locations = (await env.attempts.foldersOf(files.directory)).map(({ location }) => location);
  const keep = new Set<string>();
  for (const document of documents) {
    const parsed = parseRun(document);
    if (parsed.kind === 'run' && parsed.run.bootstrax.state === 'done') {
      for (const { host, location } of parsed.run.data) {
        if (host === env.host && location !== null) keep.add(location);
      }
    }
  }
  const doomed = locations.filter((location) => !keep.has(location));
  for (const document of documents) {
    await untilAnswered(env, `data entries of run ${plan.run}`, signal, () =>
      env.store.runs.withdrawData(document._id, env.host, doomed),
    );
  }
  if (signal.aborted) return;
  const removed = await env.products.clear(plan.outputDirectory, plan.runId, { locations: doomed });
  await env.attempts.markConcluded(files.directory);
  env.log.info(
    { event: 'attempt.cleaned', run: plan.run, attempt: plan.attempt, removed: removed.length },
    `an earlier attempt at run ${plan.run} is cleaned up: ${removed.length} folders removed, ${keep.size} kept`,
  );
}

/** Runs claimed by this host that no attempt of it works on: back to the queue, not counted. */
async function requeueUnbegun(
  env: Environment,
  book: AttemptBook,
  signal: AbortSignal,
): Promise<void> {
  const own = await untilAnswered(env, 'own runs', signal, () => env.store.runs.ownRuns(env.host));
  for (const document of own ?? []) {
    const parsed = parseRun(document);
    if (parsed.kind !== 'run') continue;
    const { run } = parsed;
    const { attempt } = run.bootstrax;
    // Without an attempt id it is the reference's: it goes stale like any foreign run.
    if (attempt === null || book.has(attempt)) continue;
    const concluded = await untilAnswered(env, `run ${run.number}`, signal, () =>
      env.store.runs.conclude(
        { id: document._id, attempt, host: env.host },
        { kind: 'requeued', reason: null, delaySeconds: 0 },
      ),
    );
    if (concluded?.kind === 'landed') {
      env.log.info(
        { event: 'run.requeued', run: run.number, attempt },
        `run ${run.number} was claimed by an earlier manager of this host that had not started it: back to the queue, not counted`,
      );
    }
  }
}

async function closeHistory(
  env: Environment,
  book: AttemptBook,
  signal: AbortSignal,
): Promise<void> {
  const open = await untilAnswered(env, 'history', signal, () =>
    env.store.attempts.unfinished(env.host),
  );
  for (const { attempt, plan } of open ?? []) {
    if (book.has(attempt)) continue;
    await untilAnswered(env, 'history', signal, () =>
      env.store.attempts.end(attempt, {
        outcome: 'requeued',
        counted: false,
        reason: 'the manager ended before the attempt had an outcome',
        traceback: null,
        fingerprint: null,
        plugin: null,
        seconds: null,
        peakMemoryBytes: null,
        bytes: null,
        dropped: Array.isArray(plan?.['dropped']) ? (plan['dropped'] as string[]) : [],
        products: [],
        versions: {},
      }),
    );
  }
}
