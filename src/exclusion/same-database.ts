import type { HostStore } from '../host/host.port.ts';
import { monotonicMs, systemClock } from '../infra/clock/clock.ts';
import { askFolder } from './folder-socket.ts';
import type { Holder } from './holder.pure.ts';

/** Its heartbeat must appear within this time: it writes one on request, and at least every minute. */
const PROOF_SECONDS = 15;
const POLL_SECONDS = 0.2;
const ANSWER_SECONDS = 3;

/**
 * Whether the manager of a state folder uses this very database: it is asked for a heartbeat, and the
 * heartbeat appears here. Nothing else proves it: names and marks are copied along with a database.
 */
export async function worksOnDatabase(
  manager: Holder,
  hosts: Pick<HostStore, 'named'>,
): Promise<boolean> {
  const timeThere = async () => {
    const document = await hosts.named(manager.host);
    return document?.holder?.instance === manager.instance ? document.time.getTime() : null;
  };
  const before = await timeThere();
  if (before === null) return false;
  const asked = askFolder(manager.state_dir, { type: 'heartbeat' }, ANSWER_SECONDS);
  await asked.catch(() => null);
  const limit = monotonicMs(systemClock) + PROOF_SECONDS * 1000;
  while (monotonicMs(systemClock) < limit) {
    const now = await timeThere();
    if (now === null) return false;
    if (now !== before) return true;
    await systemClock.sleep(POLL_SECONDS);
  }
  return false;
}
