import type { Command } from 'commander';
import {
  ACTIONS,
  runActionRow,
  type ActionOption,
  type RunActionKind,
} from '../../features/actions/action-table.pure.ts';
import { verb } from '../framework/answering.ts';
import { runArgument, RUN_HELP, type RunArgument } from '../framework/run-argument.ts';
import { carryOutOnRun, REASON_OPTION, wordsOf } from './act-by-command.ts';

interface Options extends Partial<Record<ActionOption, boolean>> {
  reason?: string;
}

const OPTIONS: Readonly<Record<ActionOption, readonly [flag: string, about: string]>> = {
  fromStart: ['--from-start', 'forget its failures: all targets, ten tries'],
  evenDone: [
    '--even-done',
    'also a run that is done: its products are deleted and made anew; a reason is needed',
  ],
  keep: [
    '--keep',
    'products of now stay, listed and readable, until the new ones are there; needs twice the disk',
  ],
  yes: ['--yes', 'do not ask before products are deleted'],
};

/** The actions at runs, a command each; `renumber`, which takes more, has a file of its own. */
export const addVerbs = (Object.keys(ACTIONS) as (keyof typeof ACTIONS)[])
  .filter(isVerb)
  .map((kind) => (program: Command) => addVerb(program, kind));

function isVerb(kind: keyof typeof ACTIONS): kind is Exclude<RunActionKind, 'renumber'> {
  return ACTIONS[kind].target === 'run' && kind !== 'renumber';
}

/** `bootstrax fail N [REASON]`, and so on. */
function addVerb(program: Command, kind: Exclude<RunActionKind, 'renumber'>): Command {
  const { about, options } = runActionRow(kind);
  return verb(program, {
    name: kind,
    about,
    takes: (command) => {
      command
        .argument('<run>', RUN_HELP, runArgument)
        .argument('[reason...]', 'for those who read it later')
        .option(...REASON_OPTION);
      for (const option of options) command.option(...OPTIONS[option]);
    },
    json: 'one object: {run, ok, message, action}',
    act: async (command, given: Options, named: RunArgument, said: string[]) => {
      const { fromStart, evenDone, yes, keep, reason } = given;
      const call = { kind, words: wordsOf(said, reason), fromStart, evenDone, yes, keep };
      const { action, message, target } = await carryOutOnRun(command, named, call);
      return { run: target.run, ok: true, message, action: action.id };
    },
  });
}
