import { type Command, Option } from 'commander';

import type { RunTarget } from '../../features/actions/action.ts';
import type { Loaded } from '../../infra/config/load-config.ts';
import { verb } from '../framework/answering.ts';
import { CommandFailure } from '../framework/command-failure.ts';
import { askManagerOf } from '../framework/manager-request.ts';
import { RUN_HELP, type RunArgument, runArgument, runTarget } from '../framework/run-argument.ts';
import { settingsWithDatabase, withDatabase } from '../framework/with-database.ts';
import { manage } from '../host/run.command.ts';

interface Options {
  now?: boolean;
  on?: string;
  json?: boolean;
}

/** `bootstrax process N`: asks the running manager, or does it in the foreground with --now. */
export function addProcess(program: Command): void {
  verb(program, {
    name: 'process',
    about: 'have the running manager process this run next',
    takes: (command) =>
      command
        .argument('<run>', RUN_HELP, runArgument)
        .option('--now', 'process it here in the foreground, without the manager')
        .addOption(new Option('--on <where>', 'where it is processed').choices(['local', 'slurm'])),
    json: 'one object: {run, ok, message}',
    act: async (command, { now, on, json }: Options, named: RunArgument) => {
      const loaded = await settingsWithDatabase(command);
      const target = await targetOf(command, named);
      if (now === true && on === 'slurm') {
        throw new CommandFailure(2, '--now processes it here: leave out --on slurm');
      }
      if (now) return processHere(loaded, target, json ?? false);
      const { run, document } = target;
      const answer = await askManagerOf(loaded.settings, {
        type: 'process',
        run,
        ...(document === undefined ? {} : { document }),
        ...(on === 'local' || on === 'slurm' ? { on } : {}),
      });
      if (answer !== 'no manager') return { run, ok: answer.ok, message: answer.message };
      throw new CommandFailure(
        1,
        `no manager runs for ${loaded.settings.host.name} on this machine: ` +
          `start it (bootstrax run), or use: bootstrax process ${run} --now`,
      );
    },
  });
}

/** The manager that this starts would take the machine's lock from another one. */
async function processHere(
  loaded: Loaded,
  { run, document }: RunTarget,
  json: boolean,
): Promise<never> {
  if (document !== undefined) {
    throw new CommandFailure(2, '--now takes a run number, not the id of a document');
  }
  if ((await askManagerOf(loaded.settings, { type: 'status' })) !== 'no manager') {
    throw new CommandFailure(
      1,
      `a manager runs for ${loaded.settings.host.name} on this machine: ` +
        `ask it without --now, or stop it first`,
    );
  }
  process.exit(await manage(loaded, { runOnce: run, json }));
}

/** A number needs no database. */
async function targetOf(command: Command, named: RunArgument): Promise<RunTarget> {
  return typeof named === 'number'
    ? { kind: 'run', run: named }
    : withDatabase(command, ({ store }) => runTarget(store, named));
}
