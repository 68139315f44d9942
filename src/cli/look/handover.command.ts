import type { Command } from 'commander';
import { withDatabase } from '../framework/with-database.ts';
import { print, printJson } from '../framework/output.ts';
import { hoursUpTo } from '../framework/spans.ts';

const MOST_HOURS = 7 * 24;

/** `bootstrax handover`: the last hours as text, for the log book. */
export function addHandover(program: Command): void {
  program
    .command('handover')
    .description('what happened in the last hours, as text to paste into a log book')
    .option('--hours <number>', 'of so many hours, at most a week', hoursUpTo(MOST_HOURS), 8)
    .option('--json', 'one object: {now, hours, text}')
    .action(async (options: { hours: number; json?: boolean }, command: Command) => {
      const { handover } = await import('../../readmodel/handover.ts');
      const answer = await withDatabase(command, ({ store, settings }) =>
        handover(store, settings.rules, options.hours),
      );
      if (options.json) printJson(answer);
      else print(answer.text);
    });
}
