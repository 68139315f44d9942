import type { Command } from 'commander';
import { toolsOf, carryOutOnRun } from './act-by-command.ts';
import { withDatabase } from '../framework/with-database.ts';
import { CommandFailure } from '../framework/command-failure.ts';
import { print, printJson } from '../framework/output.ts';
import { runArgument, runTarget, RUN_HELP, type RunArgument } from '../framework/run-argument.ts';
import { runNumber } from '../framework/run-number.ts';

interface Options {
  reason: string;
  preview?: boolean;
  json?: boolean;
}

/** `bootstrax renumber DOCUMENT NUMBER`: settles that several documents have one number. */
export function addRenumber(program: Command): void {
  program
    .command('renumber')
    .description('give one of several documents with the same run number another number')
    .argument('<document>', RUN_HELP, runArgument)
    .argument('<number>', 'its new number, which no run has', runNumber)
    .requiredOption('--reason <text>', 'for those who read it later')
    .option('--preview', 'say what it would do, and change nothing')
    .option('--json', 'one object: {run, document, number, ok, message, action}')
    .action(async (named: RunArgument, number: number, options: Options, command: Command) => {
      const { reason, json } = options;
      if (options.preview) {
        const { effect, possible } = await previewOf(command, named, number);
        if (!possible) throw new CommandFailure(1, effect);
        if (json) printJson({ number, ok: true, message: effect, action: null });
        else print(effect);
        return;
      }
      const wish = { kind: 'renumber', words: [reason], number } as const;
      const { action, message, target } = await carryOutOnRun(command, named, wish);
      if (json) {
        const { run, document = null } = target;
        printJson({ run, document, number, ok: true, message, action: action.id });
      } else print(message);
    });
}

function previewOf(command: Command, named: RunArgument, number: number) {
  return withDatabase(command, async ({ store, settings }) => {
    const { preview } = await import('../../features/actions/act.ts');
    const target = await runTarget(store, named);
    return preview(toolsOf(store, settings), 'renumber', target, { number });
  });
}
