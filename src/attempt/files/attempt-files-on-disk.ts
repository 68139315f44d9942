import { join } from 'node:path';

import { checkWritableFolder } from '../../infra/disk/disk.ts';
import { countFollowed, touchFollowed } from '../../infra/disk/durable.ts';
import { isWithin } from '../../infra/values/within.pure.ts';
import type { Attempts, Products } from '../attempt-files.ts';
import { followAttempt } from '../process/follow.ts';
import { foldersOf } from './announced-folders.ts';
import {
  attemptDirectory,
  createAttempt,
  listOpenAttempts,
  markConcluded,
  markSuperseded,
  newAttemptId,
  noteEnding,
  notePublishing,
  pruneAttempts,
  readAttempt,
} from './attempt-directory.ts';
import { activityIn, leftoversOf } from './leftovers.ts';
import { boundGrowingLog } from './log-file.ts';
import { readWord } from './ownership.ts';
import {
  foldersIn,
  forcePublished,
  makePlace,
  placesIn,
  publishFolder,
  removePlace,
} from './place.ts';
import { inspectProducts } from './products.ts';
import { provenStaging } from './staging.ts';
import {
  destroy,
  keepInPlace,
  putBack,
  putBackCondemned,
  takeAway,
  tidyTrash,
  trashBelow,
} from './trash.ts';

/** A child that prints without an end fills no disk; what it printed first and last stays. */
const MAX_GROWING_LOG_BYTES = 32e6;

/** The attempts of a state folder; those on a cluster lie below `shared`. */
export function attemptsOnDisk(stateDir: string, shared: string | null = null): Attempts {
  const isShared = (directory: string): boolean =>
    shared !== null && isWithin(directory, join(shared, 'attempts'));
  return {
    newId: newAttemptId,
    directoryOf: (id) => attemptDirectory(stateDir, id),
    checkFolder: () => checkWritableFolder(stateDir),
    create: (plan) => createAttempt(stateDir, plan, plan.executor === 'slurm' ? shared : null),
    listOpen: () => listOpenAttempts(stateDir),
    read: (id) => readAttempt(stateDir, id),
    foldersOf,
    follow: followAttempt,
    touchFollowed: (directory) =>
      isShared(directory) ? countFollowed(directory) : touchFollowed(directory),
    // A file that two machines write to at once is not cut.
    boundLog: (directory) =>
      isShared(directory)
        ? Promise.resolve()
        : boundGrowingLog(join(directory, 'log.txt'), MAX_GROWING_LOG_BYTES),
    markSuperseded,
    noteEnding,
    notePublishing,
    markConcluded,
    prune: (retention) => pruneAttempts(stateDir, retention),
  };
}

/** Strax folders as they lie on this machine's disks. */
export const productsOnDisk: Products = {
  stagingProblem: provenStaging,
  makePlace,
  removePlace,
  publish: publishFolder,
  forcePublished,
  placesIn,
  foldersIn,
  wordOf: readWord,
  inspect: inspectProducts,
  leftovers: leftoversOf,
  activity: activityIn,
  takeAway,
  destroy,
  keepInPlace,
  putBack,
  putBackCondemned,
  tidyTrash,
  trashBelow,
};
