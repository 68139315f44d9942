import type { Command } from 'commander';
import type { Logger } from 'pino';

import { openStore } from '../../database/open.ts';
import { Shadow } from '../../features/shadow/shadow.ts';
import { openShadowLog, shadowLogPath } from '../../features/shadow/shadow-log.ts';
import { systemClock } from '../../infra/clock/clock.ts';
import { TaskGroup } from '../../infra/concurrency/task-group.ts';
import { connectionOf } from '../../infra/config/connection.ts';
import type { Loaded } from '../../infra/config/load-config.ts';
import { CommandFailure } from '../framework/command-failure.ts';
import { decisionInputs } from '../framework/decision-inputs.ts';
import { settingsOf } from '../framework/setting-flags.ts';

/**
 * `bootstrax run --shadow`: until it is ended. No lock is taken and no child started; the only file is
 * its own log.
 */
export async function runShadow(
  { settings }: Loaded,
  logger: Logger,
  command: Command,
): Promise<number> {
  const connection = connectionOf(settings);
  if (connection === null) {
    throw new CommandFailure(
      2,
      'no database to read: set BOOTSTRAX_MONGO_URL, --mongo-url or database.url in the configuration file',
    );
  }
  const tasks = new TaskGroup(systemClock);
  const end = () => tasks.end();
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
  const { graph } = await decisionInputs(settings);
  const record = await openShadowLog(settings.paths.stateDir);
  const byHost = new Map<string, Promise<Loaded>>();
  const settingsOfHost = (host: string): Promise<Loaded> => {
    const known = byHost.get(host) ?? settingsOf(command, { withoutCredentials: true, host });
    byHost.set(host, known);
    return known;
  };
  const store = openStore({ ...connection, manage: false, readOnly: true }, (event) => {
    if (event.kind === 'connection' && !event.up) shadow.connectionLost();
  });
  const { name, role, primaries } = settings.host;
  const shadow = new Shadow({
    ...{ host: name, role, primaries, rules: settings.rules, graph },
    ofHost: async (host) => (await settingsOfHost(host)).settings.host,
    changeStream: settings.database.changeStream,
    ...{ store, clock: systemClock, tasks, log: logger, record },
  });
  const log = shadowLogPath(settings.paths.stateDir);
  logger.info({ event: 'shadow.ready', log }, `looking on as ${name}; decisions go to ${log}`);
  try {
    await tasks.guard(() => shadow.run());
  } finally {
    await store.close();
  }
  return 0;
}
