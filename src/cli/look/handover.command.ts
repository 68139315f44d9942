import type { Command } from 'commander';

import { query } from '../framework/answering.ts';
import { hoursUpTo } from '../framework/spans.ts';

const MOST_HOURS = 7 * 24;

/** `bootstrax handover`: the last hours as text, for the log book. */
export function addHandover(program: Command): void {
  query(program, {
    name: 'handover',
    about: 'what happened in the last hours, as text to paste into a log book',
    takes: (command) =>
      command.option(
        '--hours <number>',
        'of this number of hours until now, at most a week',
        hoursUpTo(MOST_HOURS),
        8,
      ),
    json: 'one object: {now, hours, text}',
    read: async ({ store, settings }, { hours }: { hours: number }) => {
      const { handover } = await import('../../readmodel/handover.ts');
      return handover(store, settings.rules, hours);
    },
    draw: ({ text }) => text,
  });
}
