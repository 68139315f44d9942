import { join } from 'node:path';

import { makeFolder, note } from '../../infra/disk/durable.ts';

/** Below the state folder: all that a shadow ever writes. */
export const SHADOW_FOLDER = 'shadow';

export function shadowLogPath(stateDir: string): string {
  return join(stateDir, SHADOW_FOLDER, 'decisions.ndjson');
}

/** Makes the folder; answers how a line is added to the log. */
export async function openShadowLog(stateDir: string): Promise<(line: object) => Promise<void>> {
  await makeFolder('shadow.make', join(stateDir, SHADOW_FOLDER));
  const path = shadowLogPath(stateDir);
  return (line) => note('shadow.note', path, `${JSON.stringify(line)}\n`, 'append');
}
