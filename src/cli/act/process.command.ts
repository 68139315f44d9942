import type { Command } from 'commander';
import { CommandFailure } from '../framework/command-failure.ts';
import type { RunTarget } from '../../features/actions/action.ts';
import { settingsWithDatabase, withDatabase } from '../framework/with-database.ts';
import { askManagerOf } from '../framework/manager-request.ts';
import { print, printJson } from '../framework/output.ts';
import { manage } from '../host/run.command.ts';
import { runArgument, runTarget, RUN_HELP, type RunArgument } from '../framework/run-argument.ts';

/** `bootstrax process N`: asks the running manager, or does it in the foreground with --now. */
export function addProcess(program: Command): void {
  program
    .command('process')
    .description('have the running manager process this run next')
    .argument('<run>', RUN_HELP, runArgument)
    .option('--now', 'process it here in the foreground, without the manager')
    .option('--json', 'one object: {run, ok, message}')
    .action(
      async (
        named: RunArgument,
        { now, json }: { now?: boolean; json?: boolean },
        command: Command,
      ) => {
        const loaded = await settingsWithDatabase(command);
        const { run, document } = await targetOf(command, named);
        if (now) {
          if (document !== undefined) {
            throw new CommandFailure(2, '--now takes a run number, not the id of a document');
          }
          // The manager that this command starts would take the machine's lock from the other one.
          if ((await askManagerOf(loaded.settings, { type: 'status' })) !== 'no manager') {
            throw new CommandFailure(
              1,
              `a manager runs for ${loaded.settings.host.name} on this machine: ` +
                `ask it without --now, or end it first`,
            );
          }
          process.exit(await manage(loaded, { runOnce: run, json: json ?? false }));
        }
        const answer = await askManagerOf(loaded.settings, {
          type: 'process',
          run,
          ...(document === undefined ? {} : { document }),
        });
        if (answer === 'no manager') {
          throw new CommandFailure(
            1,
            `no manager runs for ${loaded.settings.host.name} on this machine: ` +
              `start it (bootstrax run), or use: bootstrax process ${run} --now`,
          );
        }
        if (json) printJson({ run, ok: answer.ok, message: answer.message });
        else print(answer.message);
        if (!answer.ok) process.exitCode = 1;
      },
    );
}

/** A number needs no look into the database. */
async function targetOf(command: Command, named: RunArgument): Promise<RunTarget> {
  return typeof named === 'number'
    ? { kind: 'run', run: named }
    : withDatabase(command, ({ store }) => runTarget(store, named));
}
