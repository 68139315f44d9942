import type { Environment } from '../ports/environment.ts';
import { idText } from '../run/document-id.ts';
import type { RunDocument } from '../run/run-document.port.ts';
import { type AttemptKind, GOES } from './attempt-kind.ts';
import type { AttemptFiles } from './files/attempt-directory.ts';
import { publishedLocation } from './files/place.ts';
import { takingBack } from './files/removal.ts';
import { endProcesses } from './process/orphans.ts';
import { withoutReplaced } from './replaced-products.ts';
import { type Remains, takeBack } from './take-back.ts';

/** What there is of an attempt that has neither its run nor a debt any more, or never began. */
export interface FoundDead {
  kind: 'found_dead';
  files: AttemptFiles;
  /** All documents of its number. */
  documents: readonly RunDocument[];
}

/**
 * Brings an attempt to its end of which nothing is under way here: its processes end, then what its
 * run still needs of it stays, and all else is taken back. Safe to repeat.
 */
export async function endDead(
  env: Environment,
  kind: AttemptKind,
  { files, documents }: FoundDead,
  signal: AbortSignal,
): Promise<void> {
  const { plan, directory } = files;
  await endProcesses(env, files, files.id);
  if (plan === null) {
    // Nothing else is known of it; the run itself is found by its claim.
    await env.attempts.markConcluded(directory);
    return;
  }
  const announced = await env.attempts.foldersOf(directory);
  const published = announced.map(({ location }) => publishedLocation(plan, location));
  const begun = withoutReplaced(plan, published);
  const own = plan.runDocument ?? null;
  const ofRun =
    own === null ? documents : documents.filter((document) => idText(document._id) === own);
  const isConcluded = ofRun.some((document) => kind.concludedBy(document, plan.attempt));
  const remains: Remains = {
    ...{ attempt: plan.attempt, run: plan.run, plan },
    ...{ ids: ofRun.map(({ _id }) => _id), documents: ofRun },
    ...{ begun, removal: takingBack(env, plan, begun) },
    isWhole: files.result?.ok === true && !isConcluded,
    ...{ isConcluded, end: null },
  };
  const became = kind.becameOf(env.host, plan, remains);
  if (became === 'done' && !(await kind.finish(env, remains, signal))) return;
  const taken = await takeBack(env, kind.undoing, { remains, traces: GOES[became] }, signal);
  if (taken === null || !taken.isComplete) return;
  const { line, message } = kind.told(remains, became, taken.removed.length);
  env.log.info(line, message);
}
