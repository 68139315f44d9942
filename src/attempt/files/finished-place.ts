import { basename } from 'node:path';

import type { Products } from '../attempt-files.ts';
import type { PlaceSeen } from './finished-place.pure.ts';
import { heldBecause } from './ownership.pure.ts';

/** What there is in the place of an attempt that nobody works on. Changes nothing. */
export async function placeSeen(
  products: Pick<Products, 'foldersIn' | 'activity' | 'inspect'>,
  place: string,
  known: { isRecorded: boolean; nowMs: number; quietSeconds: number },
): Promise<PlaceSeen> {
  const { isRecorded, nowMs, quietSeconds } = known;
  const folders = await products.foldersIn(place);
  const activity = await products.activity(place);
  const whole: string[] = [];
  for (const runId of new Set(folders.map((folder) => folder.runId))) {
    const inspection = await products.inspect(place, runId);
    const sound = inspection.products.filter(({ problems }) => problems.length === 0);
    whole.push(...sound.map(({ location }) => basename(location)));
  }
  return {
    ...{ attempt: basename(place), folders, whole, isRecorded },
    unchangedSeconds: Math.max(0, (nowMs - activity.newestMs) / 1000),
    heldBecause: heldBecause(activity, nowMs, quietSeconds),
  };
}
