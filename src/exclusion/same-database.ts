import type { Holder } from './holder.pure.ts';
import { askFolder } from './folder-socket.ts';
import type { HostStore } from '../host/host.port.ts';
import { monotonicMs, systemClock } from '../infra/clock/clock.ts';

/** For its heartbeat to be seen; it gives one when it is asked, and at least every minute, seconds. */
const PROOF_SECONDS = 15;
const LOOK_SECONDS = 0.2;
const ANSWER_SECONDS = 3;

/**
 * Whether the manager of a state folder works on this very database: its heartbeat is asked for and
 * seen to change there. Nothing else proves it: names and marks travel with a copy.
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
    await systemClock.sleep(LOOK_SECONDS);
  }
  return false;
}
