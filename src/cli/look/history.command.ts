import type { Command } from 'commander';

import { utcToTheSecond } from '../../infra/values/utc.pure.ts';
import type { AttemptDocument } from '../../retry/attempt-history.port.ts';
import { storedCauseText } from '../../retry/stored-cause.pure.ts';
import { query } from '../framework/answering.ts';
import { CommandFailure } from '../framework/command-failure.ts';
import { bytes, duration, table } from '../framework/output.ts';
import { runNumber } from '../framework/run-number.ts';

const MOST_ATTEMPTS = 200;

/** `bootstrax history N`: every attempt at a run, newest first. */
export function addHistory(program: Command): void {
  query(program, {
    name: 'history',
    about: 'every attempt at this run: host, targets, outcome, cause',
    takes: (command) => command.argument('<run>', 'run number', runNumber),
    json: 'one object: {run, attempts}, as in the collection bootstrax_attempts',
    read: async ({ store }, _options, run: number) => {
      const attempts = await store.attempts.ofRun(run, MOST_ATTEMPTS);
      if (attempts.length === 0 && (await store.runs.byNumber(run)).length === 0) {
        throw new CommandFailure(1, `there is no run ${run}`);
      }
      return { run, attempts };
    },
    draw: ({ run, attempts }) =>
      attempts.length === 0
        ? `No attempt at run ${run} is known.`
        : [attemptsTable(attempts), ...lastTraceback(attempts)].join('\n'),
  });
}

/** For people. */
export function attemptsTable(attempts: readonly AttemptDocument[]): string {
  return table(
    ['started (UTC)', 'host', 'rung', 'targets', 'outcome', 'what', 'took', 'memory', 'why'],
    attempts.map(({ started, host, failures, plan, result }) => [
      utcToTheSecond(started),
      host,
      String(failures),
      namesOf(plan?.['targets']),
      outcomeOf({ plan, result }),
      storedCauseText(result ?? {}) ?? '',
      result?.seconds == null ? '' : duration(result.seconds),
      result?.peakMemoryBytes == null ? '' : bytes(result.peakMemoryBytes),
      (result?.reason ?? '').split('\n')[0]?.slice(0, 80) ?? '',
    ]),
  );
}

/** The plan is noted once the strax process was started, unless the database was away: then nobody can tell. */
function outcomeOf({ plan, result }: Pick<AttemptDocument, 'plan' | 'result'>): string {
  if (result === null) return plan === null ? 'under way' : 'running';
  return `${result.outcome}${result.counted ? ' (counted)' : ''}`;
}

/** Where the newest attempt that has a traceback went wrong, or hung. */
function lastTraceback(attempts: readonly AttemptDocument[]): string[] {
  const last = attempts.find(({ result }) => result?.traceback);
  if (last === undefined) return [];
  return [
    '',
    `attempt ${last.attempt}: ${last.result?.reason ?? ''}`,
    last.result?.traceback ?? '',
  ];
}

function namesOf(targets: unknown): string {
  return Array.isArray(targets) ? targets.join(' ') : '';
}
