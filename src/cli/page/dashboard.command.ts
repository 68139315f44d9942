import type { Command } from 'commander';

import { CommandFailure } from '../framework/command-failure.ts';
import { keepHeapSmall } from '../framework/heap.ts';
import { makeLogger } from '../framework/log-lines.ts';
import { print, printJson } from '../framework/output.ts';
import { settingsWithDatabase } from '../framework/with-database.ts';

/** `bootstrax dashboard`: the web pages, for the whole fleet. */
export function addDashboard(program: Command): void {
  program
    .command('dashboard')
    .description('web pages on the whole fleet: what needs attention, runs, hosts, failures')
    .option('--address <address>', 'where to listen (default: the setting dashboard.address)')
    .option('--port <port>', '0 for any free one (default: the setting dashboard.port)', portNumber)
    .option('--json', 'one object once it listens: {url}; then log lines')
    .action(async (options: { address?: string; port?: number; json?: boolean }, command) => {
      keepHeapSmall();
      const { settings } = await settingsWithDatabase(command as Command);
      const { serveDashboard } = await import('../../dashboard/serve.ts');
      const { address, port } = { ...settings.dashboard, ...options };
      const logger = makeLogger(options.json ?? false, process.stderr);
      const dashboard = await serveDashboard(settings, { address, port }, logger).catch(asFailure);
      if (options.json) printJson({ url: dashboard.url });
      else print(`The dashboard is at ${dashboard.url} (Ctrl-C ends it)`);
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
        process.once(signal, () => {
          dashboard.close().then(
            () => process.exit(0),
            () => process.exit(1),
          );
        });
      }
      await dashboard.failure;
    });
}

function portNumber(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (port <= 65_535) return port;
  throw new CommandFailure(2, `"${text}" is no port: a number from 0 to 65535`);
}

function asFailure(error: unknown): never {
  if (error instanceof Error && error.name === 'NotServed') {
    throw new CommandFailure(2, error.message);
  }
  throw error;
}
