import { join } from 'node:path';
import { listAttempts, readAttempt } from '../../attempt/files/attempt-directory.ts';
import { attemptProcesses, endSession } from '../../infra/linux/processes.ts';

/** Ends the attempts of this state folder that run without a manager; answers their run numbers. */
export async function stopOrphans(stateDir: string): Promise<number[]> {
  const stopped: number[] = [];
  for (const id of await listAttempts(stateDir)) {
    const attempt = await readAttempt(stateDir, id);
    if (!attempt?.started || !attempt.plan || attempt.concluded) continue;
    const { guardian, child } = attempt.started;
    const processes = { guardian, child, logFile: join(attempt.directory, 'log.txt') };
    if (attemptProcesses(processes).length === 0) continue;
    await endSession(processes);
    stopped.push(attempt.plan.run);
  }
  return stopped;
}
