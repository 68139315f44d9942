import { listAttempts } from '../attempt/files/attempt-directory.ts';
import type { Settings } from '../infra/config/entries.ts';
import type { Store } from '../ports/store.ts';
import type { AttemptDocument } from '../retry/attempt-history.port.ts';

/** A host's name comes from a document: it must not lead anywhere else. */
const HOST_NAME = /^[A-Za-z0-9][A-Za-z0-9.-]{0,252}$/;

interface Places {
  settings: Pick<Settings, 'paths' | 'dashboard'>;
  store: { attempts: Pick<Store['attempts'], 'get'> };
}

/**
 * The state folder in which the files of an attempt lie, on this machine or where those of its host are
 * mounted; null if they are out of reach.
 */
export async function placeOfAttempt(
  { settings, store }: Places,
  attempt: string,
): Promise<string | null> {
  const own = settings.paths.stateDir;
  if (await holds(own, attempt)) return own;
  if (settings.dashboard.stateDirs === null) return null;
  const host = (await store.attempts.get(attempt))?.host;
  const mounted = host === undefined ? null : mountedStateDir(settings, host);
  return mounted !== null && (await holds(mounted, attempt)) ? mounted : null;
}

/** Those of the attempts whose files can be read from here. */
export async function attemptsInReach(
  settings: Places['settings'],
  attempts: readonly AttemptDocument[],
): Promise<ReadonlySet<string>> {
  const mounted = [...new Set(attempts.map(({ host }) => mountedStateDir(settings, host)))];
  const directories = [settings.paths.stateDir, ...mounted.filter((each) => each !== null)];
  return new Set((await Promise.all(directories.map(listed))).flat());
}

function mountedStateDir({ dashboard }: Places['settings'], host: string): string | null {
  if (dashboard.stateDirs === null || !HOST_NAME.test(host)) return null;
  return dashboard.stateDirs.replaceAll('{host}', host);
}

async function holds(stateDir: string, attempt: string): Promise<boolean> {
  return (await listed(stateDir)).includes(attempt);
}

/** What is not mounted, or not for this user, holds nothing. */
function listed(stateDir: string): Promise<string[]> {
  return listAttempts(stateDir).catch(() => []);
}
