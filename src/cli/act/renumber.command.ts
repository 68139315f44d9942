import type { Command } from 'commander';

import { ACTIONS } from '../../features/actions/action-table.pure.ts';
import { verb } from '../framework/answering.ts';
import { CommandFailure } from '../framework/command-failure.ts';
import { RUN_HELP, type RunArgument, runArgument, runTarget } from '../framework/run-argument.ts';
import { runNumber } from '../framework/run-number.ts';
import { withDatabase } from '../framework/with-database.ts';
import { carryOutOnRun, toolsOf } from './act-by-command.ts';

interface Options {
  reason: string;
  preview?: boolean;
}

/** `bootstrax renumber DOCUMENT NUMBER`: corrects that several documents have one number. */
export function addRenumber(program: Command): void {
  verb(program, {
    name: 'renumber',
    about: ACTIONS.renumber.about,
    takes: (command) =>
      command
        .argument('<document>', RUN_HELP, runArgument)
        .argument('<number>', 'its new number, which no run has', runNumber)
        .requiredOption('--reason <text>', 'for those who read it later')
        .option('--preview', 'say what it would do, and change nothing'),
    json: 'one object: {run, document, number, ok, message, action}',
    act: async (command, options: Options, named: RunArgument, number: number) => {
      if (options.preview) {
        const { effect, possible } = await previewOf(command, named, number);
        if (!possible) throw new CommandFailure(1, effect);
        return { number, ok: true, message: effect, action: null };
      }
      const call = { kind: 'renumber', words: [options.reason], number } as const;
      const { action, message, target } = await carryOutOnRun(command, named, call);
      const { run, document = null } = target;
      return { run, document, number, ok: true, message, action: action.id };
    },
  });
}

function previewOf(command: Command, named: RunArgument, number: number) {
  return withDatabase(command, async ({ store, settings }) => {
    const { preview } = await import('../../features/actions/act.ts');
    const target = await runTarget(store, named);
    return preview(toolsOf(store, settings), 'renumber', target, { number });
  });
}
