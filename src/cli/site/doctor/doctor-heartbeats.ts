import type { Loaded } from '../../../infra/config/load-config.ts';
import type { Bound } from '../../../infra/mongo/connection.port.ts';
import { StoreError } from '../../../infra/mongo/store-error.ts';
import { withStore } from '../../framework/with-database.ts';
import type { Finding } from './doctor-finding.ts';

const CHECK = 'eb_monitor';

/** Whether something keeps the heartbeats from growing for ever. A database that is away is told elsewhere. */
export async function checkHeartbeats(loaded: Loaded): Promise<Finding[]> {
  const { url, manage } = loaded.settings.database;
  if (url === null) return [];
  try {
    const found = await withStore(loaded, (store) => store.heartbeatsBound());
    return [boundFinding(found, manage)];
  } catch (error) {
    if (error instanceof StoreError) return [];
    throw error;
  }
}

/** What is found about what bounds the collection. */
export function boundFinding(
  { bound, command }: { bound: Bound; command: string },
  manage: boolean,
): Finding {
  const warn = (says: string, todo: string): Finding => ({
    ...{ check: CHECK, state: 'warn', says, todo },
  });
  const ok = (says: string): Finding => ({ check: CHECK, state: 'ok', says, todo: null });
  switch (bound) {
    case 'capped':
      return ok('capped: old heartbeats make room for new ones');
    case 'expiring':
      return ok('old heartbeats expire');
    case 'none':
      return warn(
        'it is neither capped nor expires: each host adds a document at least every 10 s, for ever',
        `have the server's administrator do this, which lets all older than two days expire:\n${command}`,
      );
    case 'absent':
      if (manage) return ok('not there yet: the manager creates it, capped, at its start');
      return warn(
        'not there: the first heartbeat would create it without a cap, and it would grow for ever',
        `have the server's administrator do this before a manager is started:\n${command}`,
      );
    case 'unknown':
      return warn(
        'whether it is capped, or expires, is not known: this account may not list collections',
        'grant listCollections on the DAQ database to this account, or have its administrator look',
      );
  }
}
