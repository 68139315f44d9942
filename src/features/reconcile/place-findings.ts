import { basename } from 'node:path';

import { readAttempt } from '../../attempt/files/attempt-directory.ts';
import { productsOnDisk } from '../../attempt/files/attempt-files-on-disk.ts';
import { placeVerdict, runOfPlace } from '../../attempt/files/finished-place.pure.ts';
import { placeSeen } from '../../attempt/files/finished-place.ts';
import type { Finding } from '../../attempt/files/folder-listing.pure.ts';
import { runsNow } from '../../attempt/files/removal.ts';
import { placeIn } from '../../attempt/files/staging.pure.ts';
import { systemClock } from '../../infra/clock/clock.ts';
import type { Store } from '../../ports/store.ts';
import { forNobody } from './finding-words.pure.ts';

/** The staging folder of this host, and its attempts. */
export interface Places {
  store: Store;
  host: string;
  stagingDirectory: string;
  stateDir: string;
  quietSeconds: number;
  managerRuns: boolean;
}

const STAYS =
  'a manager removes it once that has changed, two weeks after its last change at the latest';

/** Findings about places of attempts that are not going on. */
export async function placeFindings(
  places: Places,
  inScope: (found: { run: number }) => boolean,
): Promise<Finding[]> {
  const { stagingDirectory } = places;
  const findings: Finding[] = [];
  for (const attempt of await productsOnDisk.placesIn(stagingDirectory)) {
    const finding = await placeFinding(places, placeIn(stagingDirectory, attempt));
    if (finding !== null && (finding.run === null || inScope({ run: finding.run }))) {
      findings.push(finding);
    }
  }
  return findings;
}

async function placeFinding(places: Places, path: string): Promise<Finding | null> {
  const { store, host, stateDir, quietSeconds, managerRuns } = places;
  const attempt = basename(path);
  const record = await readAttempt(stateDir, attempt);
  // An attempt that is not concluded is another finding.
  if (record !== null && !record.concluded) return null;
  const isRecorded = record?.plan?.place === path;
  const seen = await placeSeen(productsOnDisk, path, {
    ...{ isRecorded, nowMs: systemClock.now().getTime(), quietSeconds },
  });
  const run = runOfPlace(seen);
  const documents = run === null ? [] : runsNow(await store.runs.byNumber(run));
  if (documents.some(({ holder }) => holder === attempt)) return null;
  const { kind, why } = placeVerdict(seen, documents, host);
  if (kind === 'theirs') return null;
  return {
    ...{ kind: 'place_left', run, path },
    says: `the place of attempt ${attempt} is still there, ${path}: ${why}`,
    todo: kind === 'remove' ? goes(managerRuns) : STAYS,
    ...forNobody({
      ...{ attempt, folders: seen.folders.map(({ name }) => name), finished: seen.whole },
    }),
  };
}

function goes(managerRuns: boolean): string {
  return managerRuns ? 'the manager removes it' : 'the next manager of this host removes it';
}
