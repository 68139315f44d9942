import { InvalidArgumentError, type Command } from 'commander';
import { withDatabase } from './database.ts';
import { print, printJson } from './output.ts';

/** `bootstrax handover`: the last hours as text, for the log book. */
export function addHandover(program: Command): void {
  program
    .command('handover')
    .description('what happened in the last hours, as text to paste into a log book')
    .option('--hours <number>', 'of so many hours', hours, 8)
    .option('--json', 'one object: {now, hours, text}')
    .action(async (options: { hours: number; json?: boolean }, command: Command) => {
      const { handover } = await import('../dashboard/handover.ts');
      const answer = await withDatabase(command, ({ store, settings }) =>
        handover(store, settings.rules, options.hours),
      );
      if (options.json) printJson(answer);
      else print(answer.text);
    });
}

function hours(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && value <= 168) return value;
  throw new InvalidArgumentError('A number of hours, above 0 and at most 168 (a week).');
}
