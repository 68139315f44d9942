import { join } from 'node:path';

import type { Started } from '../attempt.pure.ts';
import { readRun } from '../../run/run.pure.ts';
import type { RunDocument } from '../../run/run-document.port.ts';
import type { Environment } from '../../ports/environment.ts';
import { NOBODY } from '../supervise.ts';

/** Ends what an attempt has left running: processes whose identity is not known are found by the log they write to. */
export async function endProcesses(
  env: Environment,
  started: Started | null,
  attempt: string,
): Promise<void> {
  await env.machine.endSession({
    guardian: started?.guardian ?? NOBODY,
    child: started?.child ?? NOBODY,
    logFile: join(env.attempts.directoryOf(attempt), 'log.txt'),
  });
  await env.attempts.clearSharedMemory(attempt);
}

/** Where the run's products on this host lie, as its document says. */
export function listedHere({ host }: Environment, document: RunDocument): string[] {
  return listedOn(host, document);
}

export function listedOn(name: string, document: RunDocument): string[] {
  return readRun(document).data.flatMap(({ host, location }) =>
    host === name && location !== null ? [location] : [],
  );
}
