import type { Command } from 'commander';
import { withDatabase } from '../framework/with-database.ts';
import { print, printJson } from '../framework/output.ts';
import { drawAttention, drawStatus, readStatus } from './status-view.ts';

/** `bootstrax status`: hosts, queue, the runs in work, and what needs a human. */
export function addStatus(program: Command): void {
  program
    .command('status')
    .description('hosts, queue, each run that is being processed, and what needs a human')
    .option('--json', 'one object: {time, hosts, queue, runs, attention}')
    .action(async ({ json }: { json?: boolean }, command: Command) => {
      const { status, attention } = await withDatabase(command, async ({ store, settings }) => {
        const { attentionNow } = await import('../../readmodel/readings.ts');
        return {
          status: await readStatus(store, settings),
          attention: await attentionNow(store, settings.rules),
        };
      });
      if (json) return printJson({ ...status, attention });
      print(
        [drawStatus(status), drawAttention(attention)].filter((part) => part !== '').join('\n\n'),
      );
    });
}
