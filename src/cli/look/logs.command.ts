import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';

import {
  type AttemptFiles,
  listAttempts,
  readAttempt,
} from '../../attempt/files/attempt-directory.ts';
import { followLog, readLogEnd } from '../../attempt/files/log-file.ts';
import { systemClock } from '../../infra/clock/clock.ts';
import { TaskGroup } from '../../infra/concurrency/task-group.ts';
import { isAlive } from '../../infra/linux/process-identity.ts';
import { CommandFailure } from '../framework/command-failure.ts';
import { printJson } from '../framework/output.ts';
import { runNumber } from '../framework/run-number.ts';
import { settingsOf } from '../framework/setting-flags.ts';

interface Options {
  follow?: boolean;
  lines: number;
  attempt?: string;
  json?: boolean;
}

/** `bootstrax logs N`: what strax printed, from this host's attempt folders; needs no database. */
export function addLogs(program: Command): void {
  program
    .command('logs')
    .description('what strax printed for this run on this host')
    .argument('<run>', 'run number', runNumber)
    .option('--follow', 'go on until the attempt has ended')
    .option('--lines <number>', 'only the last ones', lineCount, 1000)
    .option('--attempt <id>', 'this attempt (default: the newest)')
    .option('--json', 'one object: {run, attempt, file, text, profile, exit, result}')
    .action(async (run: number, options: Options, command: Command) => {
      const { settings } = await settingsOf(command);
      const attempt = await newestAttempt(settings.paths.stateDir, run, options.attempt);
      const file = join(attempt.directory, 'log.txt');
      const end = await readLogEnd(file, options.lines);
      const profile = await profileOf(attempt.directory);
      if (options.json) {
        const { id, exit, result } = attempt;
        printJson({ run, attempt: id, file, text: end.text, profile, exit, result });
        return;
      }
      process.stdout.write(end.text);
      // Not part of the log, which may be read by a program.
      if (profile !== null) process.stderr.write(`its profile: ${profile}\n`);
      if (!options.follow) return;
      const ended = new AbortController();
      const tasks = new TaskGroup(systemClock);
      tasks.every({ name: 'whether the attempt has ended', seconds: 1 }, async () => {
        const now = await readAttempt(settings.paths.stateDir, attempt.id);
        if (now === null || hasEnded(now)) ended.abort();
      });
      await tasks.guard(async () => {
        for await (const { text } of followLog(file, end.endBytes, ended.signal)) {
          process.stdout.write(text);
        }
      });
      tasks.end();
    });
}

/** Where the attempt's profile lies, if it has one. */
async function profileOf(directory: string): Promise<string | null> {
  const { readdir } = await import('node:fs/promises');
  const name = (await readdir(directory)).find((each) => each.endsWith('.prof'));
  return name === undefined ? null : join(directory, name);
}

function lineCount(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('A number of lines is a whole number.');
}

async function newestAttempt(
  stateDir: string,
  run: number,
  wanted: string | undefined,
): Promise<AttemptFiles> {
  const { stat } = await import('node:fs/promises');
  const found: { attempt: AttemptFiles; at: number }[] = [];
  for (const id of await listAttempts(stateDir)) {
    const attempt = await readAttempt(stateDir, id);
    if (attempt?.plan?.run !== run || (wanted !== undefined && id !== wanted)) continue;
    const { mtimeMs } = await stat(join(attempt.directory, 'plan.json'));
    found.push({ attempt, at: mtimeMs });
  }
  const newest = found.sort((a, b) => b.at - a.at)[0];
  if (newest !== undefined) return newest.attempt;
  throw new CommandFailure(
    1,
    `no attempt at run ${run}${wanted === undefined ? '' : ` with the id ${wanted}`} is kept on this ` +
      `host (${stateDir}); bootstrax explain ${run} says which host has processed it`,
  );
}

function hasEnded({ exit, started }: AttemptFiles): boolean {
  return exit !== null || (started !== null && !isAlive(started.guardian));
}
