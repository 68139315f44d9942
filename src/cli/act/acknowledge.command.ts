import type { Command } from 'commander';
import { carryOut, REASON_OPTION, wordsOf } from './act-by-command.ts';
import { hours } from '../framework/spans.ts';
import { print, printJson } from '../framework/output.ts';

/** `bootstrax acknowledge ITEM [REASON]`: somebody has taken it on. */
export function addAcknowledge(program: Command): void {
  program
    .command('acknowledge')
    .description('tell others that somebody sees to what needs a human, or to a kind of failure')
    .argument('<item>', 'given_up:1234, host_silent:NAME, failure:FINGERPRINT, ...')
    .argument('[reason...]', 'who sees to it, and where one can read more')
    .option(...REASON_OPTION)
    .option('--hours <number>', 'for so long; otherwise as long as it needs one', hours)
    .option('--json', 'one object: {item, ok, message, action}')
    .action(
      async (
        item: string,
        said: string[],
        options: { hours?: number; json?: boolean; reason?: string },
        command: Command,
      ) => {
        const words = wordsOf(said, options.reason);
        const { action, message } = await carryOut(command, {
          ...{ kind: 'acknowledge', target: { kind: 'item', item }, words },
          hours: options.hours,
        });
        if (options.json) printJson({ item, ok: true, message, action: action.id });
        else print(message);
      },
    );
}
