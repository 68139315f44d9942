import type { Command } from 'commander';

import { ACTIONS } from '../../features/actions/action-table.pure.ts';
import { verb } from '../framework/answering.ts';
import { hours } from '../framework/spans.ts';
import { carryOut, REASON_OPTION, wordsOf } from './act-by-command.ts';

interface Options {
  hours?: number;
  reason?: string;
}

/** `bootstrax acknowledge ITEM [REASON]`: somebody sees to it. */
export function addAcknowledge(program: Command): void {
  verb(program, {
    name: 'acknowledge',
    about: ACTIONS.acknowledge.about,
    takes: (command) =>
      command
        .argument('<item>', 'given_up:1234, host_silent:NAME, failure:FINGERPRINT, ...')
        .argument('[reason...]', 'who sees to it, and where one can read more')
        .option(...REASON_OPTION)
        .option(
          '--hours <number>',
          'it ends after this number of hours; otherwise with what needs attention',
          hours,
        ),
    json: 'one object: {item, ok, message, action}',
    act: async (command, options: Options, item: string, said: string[]) => {
      const { action, message } = await carryOut(command, {
        ...{ kind: 'acknowledge', target: { kind: 'item', item } },
        words: wordsOf(said, options.reason),
        hours: options.hours,
      });
      return { item, ok: true, message, action: action.id };
    },
  });
}
