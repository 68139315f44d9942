import type { Command } from 'commander';
import { withDatabase } from '../framework/with-database.ts';
import { hostViews } from './host-view.ts';
import { print, printJson } from '../framework/output.ts';
import { drawHosts } from './status-view.ts';

/** `bootstrax hosts`: every host that has reported. */
export function addHosts(program: Command): void {
  program
    .command('hosts')
    .description('every host that has reported, and what it does')
    .option('--json', 'one object: {hosts}')
    .action(async ({ json }: { json?: boolean }, command: Command) => {
      const hosts = await withDatabase(command, async ({ store, settings }) =>
        hostViews(store, settings, await store.serverTime()),
      );
      if (json) printJson({ hosts });
      else print(hosts.length === 0 ? 'No manager has reported yet.' : drawHosts(hosts));
    });
}
