import { type Command, Option } from 'commander';

import type { ExecutorName } from '../../executors/executor-name.pure.ts';
import {
  type ActionOption,
  ACTIONS,
  type RunActionKind,
  runActionRow,
} from '../../features/actions/action-table.pure.ts';
import { type Done, verb } from '../framework/answering.ts';
import { CommandFailure } from '../framework/command-failure.ts';
import { RUN_HELP, type RunArgument, runArgument } from '../framework/run-argument.ts';
import { carryOutOnRun, REASON_OPTION, wordsOf } from './act-by-command.ts';
import { runsOrReason } from './runs-or-reason.pure.ts';

interface Options extends Partial<Record<Exclude<ActionOption, 'on'>, boolean>> {
  on?: ExecutorName;
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
  on: ['--on <where>', 'where it is processed; by default where there is a place'],
  yes: ['--yes', 'do not ask before products are deleted'],
};

/** What became of one run. */
type DoneToRun = Done & { run: RunArgument; action?: string };
type Answer = DoneToRun | (Done & { runs: DoneToRun[] });

/** The actions at runs, a command each; `renumber`, which takes more, has a file of its own. */
export const addVerbs = (Object.keys(ACTIONS) as (keyof typeof ACTIONS)[])
  .filter(isVerb)
  .map((kind) => (program: Command) => addVerb(program, kind));

function isVerb(kind: keyof typeof ACTIONS): kind is Exclude<RunActionKind, 'renumber'> {
  return ACTIONS[kind].target === 'run' && kind !== 'renumber';
}

/** `bootstrax fail N [REASON]`, and so on. */
function addVerb(program: Command, kind: Exclude<RunActionKind, 'renumber'>): Command {
  const { about, options, ofMany } = runActionRow(kind);
  return verb(program, {
    name: kind,
    about,
    takes: (command) => {
      command
        .argument('<run>', RUN_HELP, runArgument)
        .argument(
          '[reason...]',
          ofMany === true
            ? 'further run numbers; or, after one run, for those who read it later'
            : 'for those who read it later',
        )
        .option(...REASON_OPTION);
      for (const option of options) {
        const described = new Option(...OPTIONS[option]);
        command.addOption(option === 'on' ? described.choices(['local', 'slurm']) : described);
      }
    },
    json:
      ofMany === true
        ? 'one object: {run, ok, message, action}; of several runs {ok, message, runs}'
        : 'one object: {run, ok, message, action}',
    act: (command, given: Options, named: RunArgument, said: string[]) => {
      const rest = ofMany === true ? runsOrReason(said) : { kind: 'reason' as const, words: said };
      if (rest.kind === 'unclear') {
        const text = '"--reason TEXT" says which words are the reason and which the runs';
        throw new CommandFailure(2, text);
      }
      if (rest.kind === 'runs' && rest.runs.length > 0) {
        return actOnEach(command, kind, given, [named, ...rest.runs]);
      }
      return actOnOne({ command, kind, given }, named, said);
    },
  });
}

interface Call {
  command: Command;
  kind: Exclude<RunActionKind, 'renumber'>;
  given: Options;
}

async function actOnOne(
  { command, kind, given }: Call,
  named: RunArgument,
  said: readonly string[],
): Promise<DoneToRun> {
  const { fromStart, evenDone, yes, keep, on, reason } = given;
  const call = { kind, words: wordsOf(said, reason), fromStart, evenDone, yes, keep, on };
  const { action, message, target } = await carryOutOnRun(command, named, call);
  return { run: target.run, ok: true, message, action: action.id };
}

/** Each by itself: what is not possible for one is done to the others all the same. */
async function actOnEach(
  command: Command,
  kind: Call['kind'],
  given: Options,
  all: readonly RunArgument[],
): Promise<Answer> {
  const runs: DoneToRun[] = [];
  for (const named of new Set(all)) {
    try {
      runs.push(await actOnOne({ command, kind, given }, named, []));
    } catch (error) {
      // A question that nobody can answer is none for each run.
      if (!(error instanceof CommandFailure) || error.exitCode !== 1) throw error;
      runs.push({ run: named, ok: false, message: error.message });
    }
  }
  const message = runs.map((each) => each.message).join('\n');
  return { ok: runs.every(({ ok }) => ok), message, runs };
}
