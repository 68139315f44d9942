import type { Command } from 'commander';
import { withDatabase } from './database.ts';
import { print, printJson } from './output.ts';
import { drawStatus, readStatus } from './status-view.ts';

/** `bootstrax status`: hosts, queue, and the runs in work. */
export function addStatus(program: Command): void {
  program
    .command('status')
    .description('hosts, queue, and each run that is being processed')
    .option('--json', 'one object: {time, hosts, queue, runs}')
    .action(async ({ json }: { json?: boolean }, command: Command) => {
      const status = await withDatabase(command, ({ store, settings }) =>
        readStatus(store, settings),
      );
      if (json) printJson(status);
      else print(drawStatus(status));
    });
}
