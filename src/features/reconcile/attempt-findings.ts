import { stat } from 'node:fs/promises';
import { join } from 'node:path';

import { foldersOf } from '../../attempt/files/announced-folders.ts';
import {
  type AttemptFiles,
  listAttempts,
  readAttempt,
} from '../../attempt/files/attempt-directory.ts';
import type { AttemptSeen } from '../../attempt/files/folder-listing.pure.ts';
import { publishedLocation } from '../../attempt/files/place.ts';
import { LocalReach } from '../../executors/local/local-reach.ts';
import type { Store } from '../../ports/store.ts';
import type { AttemptDocument } from '../../retry/attempt-history.port.ts';

/** Attempts at one run that are read, the newest. */
const ATTEMPTS_OF_A_RUN = 200;

/** The attempts of this host at these runs, and all that are not concluded. */
export async function attemptsHere(
  place: { store: Store; host: string; stateDir: string },
  runs: ReadonlySet<number>,
): Promise<AttemptSeen[]> {
  const { store, host, stateDir } = place;
  const found = new Map<string, AttemptSeen>();
  const history = new Map<string, AttemptDocument>();
  for (const run of runs) {
    for (const attempt of await store.attempts.ofRun(run, ATTEMPTS_OF_A_RUN)) {
      if (attempt.host === host) history.set(attempt.attempt, attempt);
    }
  }
  for (const attempt of await store.attempts.unfinished(host)) {
    history.set(attempt.attempt, attempt);
  }
  for (const id of await listAttempts(stateDir)) {
    const files = await readAttempt(stateDir, id);
    if (files?.plan == null) continue;
    if (files.concluded && !runs.has(files.plan.run) && !history.has(id)) continue;
    found.set(id, await attemptOnDisk(files, files.plan.run, history.get(id) ?? null));
  }
  for (const [id, attempt] of history) {
    if (!found.has(id)) found.set(id, attemptInHistory(attempt));
  }
  return [...found.values()];
}

async function attemptOnDisk(
  files: AttemptFiles,
  run: number,
  history: AttemptDocument | null,
): Promise<AttemptSeen> {
  const { id, directory, concluded, result, plan } = files;
  const announced = await foldersOf(directory);
  const products = [...(result?.products ?? []), ...announced].map(({ location }) =>
    plan === null ? location : publishedLocation(plan, location),
  );
  const alive = !concluded && new LocalReach(files).hasProcesses();
  return {
    id,
    run,
    outcome: history?.result?.outcome ?? null,
    endedMs: concluded ? await modifiedMs(join(directory, 'concluded')) : null,
    locations: [...new Set([...products, ...locationsIn(history)])],
    open: !concluded,
    alive,
  };
}

function attemptInHistory(attempt: AttemptDocument): AttemptSeen {
  const { ended, result } = attempt;
  return {
    id: attempt.attempt,
    run: attempt.run,
    outcome: result?.outcome ?? null,
    endedMs: ended === null ? null : ended.getTime(),
    locations: locationsIn(attempt),
    open: false,
    alive: false,
  };
}

function locationsIn(attempt: AttemptDocument | null): string[] {
  return (attempt?.result?.products ?? []).flatMap(({ location }) =>
    typeof location === 'string' ? [location] : [],
  );
}

async function modifiedMs(path: string): Promise<number | null> {
  try {
    return (await stat(path)).mtimeMs;
  } catch {
    return null;
  }
}
