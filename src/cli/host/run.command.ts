import type { Command } from 'commander';

import type { Loaded } from '../../infra/config/load-config.ts';
import { CommandFailure } from '../framework/command-failure.ts';
import { makeLogger } from '../framework/log-lines.ts';
import { runNumber } from '../framework/run-number.ts';
import { settingsOf } from '../framework/setting-flags.ts';
import { withEmbedded } from '../framework/with-database.ts';

interface RunOptions {
  embedded?: boolean;
  dashboard?: boolean;
  json?: boolean;
  shadow?: boolean;
  /** True: without a run number. */
  test?: number | true;
}

/** `bootstrax run`: the manager, in the foreground. */
export function addRun(program: Command): void {
  program
    .command('run')
    .description('the manager of this host: claims runs and processes them, until it is ended')
    .option('--embedded', 'start, or find, the embedded database if no URL is given')
    .option(
      '--dashboard',
      'serve the dashboard as well, in a process of its own, as the settings dashboard.* say',
    )
    .option('--json', 'log lines as JSON also on a terminal')
    .option(
      '--shadow',
      'take nothing and write nothing: log what would be decided beside what others decide (bootstrax shadow-report)',
    )
    .option(
      '--test [run]',
      'trial: process waiting runs, or this one, once, in a database and folders of its own; the configured database is only read',
      runNumber,
    )
    .addHelpText(
      'after',
      '\nThe flags of straxen’s bootstrax.py are understood as they are spelled there ' +
        '(docs/migration.md).',
    )
    .action(async (options: RunOptions, command: Command) => {
      if (options.shadow) process.exit(await shadow(options, command));
      if (options.test !== undefined) process.exit(await tryOut(options, command));
      const loaded = await settingsOf(command);
      // At once: an answer that is still awaited somewhere must not keep an ended manager alive.
      process.exit(await manage(loaded, options));
    });
}

/** Runs the manager until it ends; `runOnce`: until this run is done. Answers the exit code. */
export async function manage(
  loaded: Loaded,
  options: RunOptions & { runOnce?: number },
): Promise<number> {
  const logger = makeLogger(options.json ?? false);
  if (loaded.settings.worker.debug) logger.level = 'debug';
  const { settings, hostWarning } = await withUrl(loaded, options.embedded ?? false);
  if (hostWarning !== null) logger.warn({ event: 'host.name_overruled' }, hostWarning);
  const { runManager } = await import('../../manager/manager.ts');
  const manager = runManager({
    settings,
    logger,
    ...(options.runOnce === undefined ? {} : { runOnce: options.runOnce }),
  });
  if (!options.dashboard) return manager;
  const { dashboardBeside } = await import('../page/dashboard-beside.command.ts');
  return Promise.race([manager, dashboardBeside(settings, logger)]);
}

async function shadow({ json }: RunOptions, command: Command): Promise<number> {
  const loaded = await settingsOf(command, { readOnlyAccount: true });
  const { runShadow } = await import('./run-shadow.ts');
  return runShadow(loaded, makeLogger(json ?? false), command);
}

async function tryOut({ json, test }: RunOptions, command: Command): Promise<number> {
  const run = typeof test === 'number' ? test : null;
  const loaded = await settingsOf(command, { readOnlyAccount: true });
  const logger = makeLogger(json ?? false);
  if (loaded.settings.worker.debug) logger.level = 'debug';
  const { runTrial } = await import('./run-trial.ts');
  return runTrial(loaded, logger, { run, json: json ?? false });
}

async function withUrl(loaded: Loaded, embedded: boolean): Promise<Loaded> {
  const { settings } = loaded;
  if (settings.database.url !== null) return loaded;
  if (!embedded) {
    throw new CommandFailure(
      2,
      'no database: set BOOTSTRAX_MONGO_URL, --mongo-url or database.url in the configuration ' +
        'file, or give --embedded to use a database of this machine’s own',
    );
  }
  const { startEmbedded } = await import('../../infra/mongo/embedded/embedded-server.ts');
  const { python } = settings.worker;
  const { stateDir } = settings.paths;
  const server = await startEmbedded({ python, stateDir, port: null });
  return withEmbedded(loaded, server.url);
}
