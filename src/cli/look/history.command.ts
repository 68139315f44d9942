import type { Command } from 'commander';
import { storedCauseText } from '../../retry/stored-cause.pure.ts';
import { utcToTheSecond } from '../../infra/values/utc.pure.ts';
import type { AttemptDocument } from '../../retry/attempt-history.port.ts';
import { withDatabase } from '../framework/with-database.ts';
import { CommandFailure } from '../framework/command-failure.ts';
import { bytes, duration, print, printJson, table } from '../framework/output.ts';
import { runNumber } from '../framework/run-number.ts';

const MOST_ATTEMPTS = 200;

/** `bootstrax history N`: every attempt at a run, newest first. */
export function addHistory(program: Command): void {
  program
    .command('history')
    .description('every attempt at this run: host, targets, outcome, cause')
    .argument('<run>', 'run number', runNumber)
    .option('--json', 'one object: {run, attempts}, as in the collection bootstrax_attempts')
    .action(async (run: number, options: { json?: boolean }, command: Command) => {
      const attempts = await withDatabase(command, async ({ store }) => {
        const found = await store.attempts.ofRun(run, MOST_ATTEMPTS);
        if (found.length > 0 || (await store.runs.byNumber(run)).length > 0) return found;
        throw new CommandFailure(1, `there is no run ${run}`);
      });
      if (options.json) printJson({ run, attempts });
      else if (attempts.length === 0) print(`No attempt at run ${run} is known.`);
      else print([attemptsTable(attempts), ...lastTraceback(attempts)].join('\n'));
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
      result === null ? 'running' : `${result.outcome}${result.counted ? ' (counted)' : ''}`,
      storedCauseText(result ?? {}) ?? '',
      result?.seconds == null ? '' : duration(result.seconds),
      result?.peakMemoryBytes == null ? '' : bytes(result.peakMemoryBytes),
      (result?.reason ?? '').split('\n')[0]?.slice(0, 80) ?? '',
    ]),
  );
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
