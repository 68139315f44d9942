import type { Command } from 'commander';
import type { RunActionKind } from '../../features/actions/run-effects.pure.ts';
import { carryOutOnRun, REASON_OPTION, wordsOf } from './act-by-command.ts';
import { print, printJson } from '../framework/output.ts';
import { runArgument, RUN_HELP, type RunArgument } from '../framework/run-argument.ts';

const JSON_HELP = 'one object: {run, ok, message, action}';
const REASON_HELP = 'for those who read it later';
const EVEN_DONE = [
  '--even-done',
  'also a run that is done: its products are deleted and made anew; a reason is needed',
] as const;
const YES = ['--yes', 'do not ask before products are deleted'] as const;

interface Options {
  json?: boolean;
  fromStart?: boolean;
  evenDone?: boolean;
  yes?: boolean;
  keep?: boolean;
  reason?: string;
}

/** `bootstrax fail N [REASON]`: a counted failure; the run is tried again. */
export function addFail(program: Command): void {
  addVerb(
    program,
    'fail',
    'make this run fail: a running attempt is ended, the failure counts, and the run is tried again with the same targets',
  )
    .option(...EVEN_DONE)
    .option(...YES);
}

/** `bootstrax abandon N [REASON]`: never touched again. */
export function addAbandon(program: Command): void {
  addVerb(
    program,
    'abandon',
    'give this run up for good: a running attempt is ended, others may delete its data',
  );
}

/** `bootstrax retry N [REASON]`: due now. */
export function addRetry(program: Command): void {
  addVerb(program, 'retry', 'try this failed run again now, whatever it waits for')
    .option('--from-start', 'forget its failures: all targets, ten tries')
    .option(...EVEN_DONE)
    .option(...YES);
}

/** `bootstrax reprocess N [REASON]`: with all targets. */
export function addReprocess(program: Command): void {
  addVerb(
    program,
    'reprocess',
    'have all targets of this run made: what a done run lacks is added, any other begins anew',
  )
    .option(
      '--keep',
      'what is there stays, listed and readable, until the new is there; needs twice the disk',
    )
    .option(...YES);
}

/** `bootstrax hold N [REASON]`: tagged, so that nobody takes it. */
export function addHold(program: Command): void {
  addVerb(program, 'hold', 'keep this run from being taken until it is released');
}

/** `bootstrax release N [REASON]`: ends `hold`. */
export function addRelease(program: Command): void {
  addVerb(program, 'release', 'let a held run be taken');
}

function addVerb(program: Command, kind: RunActionKind, description: string): Command {
  return program
    .command(kind)
    .description(description)
    .argument('<run>', RUN_HELP, runArgument)
    .argument('[reason...]', REASON_HELP)
    .option(...REASON_OPTION)
    .option('--json', JSON_HELP)
    .action(async (named: RunArgument, said: string[], options: Options, command: Command) => {
      const { fromStart, evenDone, yes, keep } = options;
      const words = wordsOf(said, options.reason);
      const wish = { kind, words, fromStart, evenDone, yes, keep };
      const { action, message, target } = await carryOutOnRun(command, named, wish);
      if (options.json) printJson({ run: target.run, ok: true, message, action: action.id });
      else print(message);
    });
}
