import type { LogPriority, Seen } from '../store/types.ts';
import type { Environment } from './environment.ts';
import { unlessOutage } from './persist.ts';

/**
 * Tells the people who watch the DAQ's log, if its database is there. `run` is as the document has
 * it: left out unless it is a number.
 */
export async function tellDaq(
  env: Environment,
  priority: LogPriority,
  message: string,
  run?: unknown,
): Promise<void> {
  await unlessOutage(env, 'DAQ log', () =>
    env.store.daqLog.write({
      host: env.host,
      priority,
      message,
      ...(typeof run === 'number' ? { run } : {}),
    }),
  );
}

/** Names a run to people; its document, if that has no number. */
export function runLabel({ id, number }: Pick<Seen, 'id' | 'number'>): string {
  return typeof number === 'number' ? `run ${number}` : `document ${id.toHexString()}`;
}
