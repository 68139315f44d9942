import { StoreError } from '../infra/mongo/store-error.ts';
import type { Environment } from '../ports/environment.ts';

/** Creates the indexes that are missing, where that may be done; says so where not. */
export async function ensureIndexes({ store, log }: Environment): Promise<void> {
  const missing = await store.missingIndexes();
  if (missing.length === 0) return;
  log.info(
    { event: 'database.indexes_building', missing: missing.length },
    `${missing.length} indexes are missing: creates them first where it may; with years of runs this takes minutes`,
  );
  try {
    await store.ensureIndexes();
  } catch (error) {
    if (error instanceof StoreError && error.kind === 'unreachable') throw error;
    log.warn(
      { event: 'database.indexes', missing: missing.map(({ command }) => command) },
      `${missing.length} indexes are missing on the database: see 'bootstrax doctor'`,
    );
  }
}
