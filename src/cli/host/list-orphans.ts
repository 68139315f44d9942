import { listAttempts, readAttempt } from '../../attempt/files/attempt-directory.ts';
import { ORPHAN_GRACE_SECONDS } from '../../attempt/process/orphans.ts';
import { LocalReach } from '../../executors/local/local-reach.ts';

/** Ends the attempts of this state folder that run without a manager; answers their run numbers. */
export async function stopOrphans(stateDir: string): Promise<number[]> {
  const stopped: number[] = [];
  for (const id of await listAttempts(stateDir)) {
    const attempt = await readAttempt(stateDir, id);
    if (!attempt?.started || !attempt.plan || attempt.concluded) continue;
    const reach = new LocalReach(attempt);
    if (!reach.hasProcesses()) continue;
    await reach.end(ORPHAN_GRACE_SECONDS);
    stopped.push(attempt.plan.run);
  }
  return stopped;
}
