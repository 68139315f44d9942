import type { Command } from 'commander';

import { connectionOf } from '../../infra/config/connection.ts';
import type { Loaded } from '../../infra/config/load-config.ts';
import type { Store } from '../../ports/store.ts';
import { CommandFailure } from './command-failure.ts';
import { settingsOf } from './setting-flags.ts';

export interface Database extends Loaded {
  store: Store;
}

/**
 * The settings; without a URL, the one of the embedded server that runs in the state folder, if
 * there is one. Does not start one.
 */
export async function settingsAndEmbedded(command: Command): Promise<Loaded> {
  const loaded = await settingsOf(command);
  if (loaded.settings.database.url !== null) return loaded;
  const { findEmbedded } = await import('../../infra/mongo/embedded/embedded-server.ts');
  const embedded = await findEmbedded(loaded.settings.paths.stateDir);
  return embedded === null ? loaded : withEmbedded(loaded, embedded.url);
}

/** The settings with the URL of a server that is ours, in which indexes may be created. */
export function withEmbedded(loaded: Loaded, url: string): Loaded {
  const database = { ...loaded.settings.database, url, manage: true };
  return { ...loaded, settings: { ...loaded.settings, database } };
}

/** The same, but without a database it is a mistake in the configuration. */
export async function settingsWithDatabase(command: Command): Promise<Loaded> {
  const loaded = await settingsAndEmbedded(command);
  if (loaded.settings.database.url !== null) return loaded;
  throw new CommandFailure(
    2,
    `no database: set BOOTSTRAX_MONGO_URL, --mongo-url or database.url in the configuration file; ` +
      `no embedded server runs for ${loaded.settings.paths.stateDir} either (bootstrax db start)`,
  );
}

/** Runs `work` with the databases; each call to them is limited in time. */
export async function withDatabase<T>(
  command: Command,
  work: (database: Database) => Promise<T>,
): Promise<T> {
  const loaded = await settingsWithDatabase(command);
  return withStore(loaded, (store) => work({ ...loaded, store }));
}

/** The same for settings that are known to have a URL. */
export async function withStore<T>(
  { settings }: Loaded,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  const connection = connectionOf(settings);
  if (connection === null) throw new CommandFailure(2, 'no database URL is set');
  const { openStore } = await import('../../database/open.ts');
  // The store retries by itself; a command that fails in the end says so.
  const store = openStore(connection, () => undefined);
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}
