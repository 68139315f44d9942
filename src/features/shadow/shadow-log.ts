import { join } from 'node:path';

import { makeFolder, note } from '../../infra/disk/durable.ts';

/** Folder below the state folder; a shadow writes nowhere else. */
export const SHADOW_FOLDER = 'shadow';

export function shadowLogPath(stateDir: string): string {
  return join(stateDir, SHADOW_FOLDER, 'decisions.ndjson');
}

/** Makes the folder, and returns a function that adds a line to the log. */
export async function openShadowLog(stateDir: string): Promise<(line: object) => Promise<void>> {
  await makeFolder('shadow.make', join(stateDir, SHADOW_FOLDER));
  const path = shadowLogPath(stateDir);
  return (line) => note('shadow.note', path, `${JSON.stringify(line)}\n`, 'append');
}
