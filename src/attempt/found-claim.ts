import { unlessDiskTrouble } from '../ports/disk-trouble.ts';
import type { Environment } from '../ports/environment.ts';
import { aboutOneRun } from '../ports/persist.ts';
import { concludedFailure, malformedText } from '../retry/failure.ts';
import { idText } from '../run/document-id.ts';
import type { Conclusion, Fence } from '../run/run.port.ts';
import { checkRun, type ParsedRun, readRun, type Run } from '../run/run.pure.ts';
import type { RunDocument } from '../run/run-document.port.ts';
import { seenOf } from '../run/stored-runs.ts';
import type { ConcludingSteps } from './attempt-policy.ts';
import { concludeAsFits } from './conclude-run.ts';
import { isAttemptId } from './files/attempt-directory.ts';
import { type Removal, withoutFolder } from './files/removal.ts';
import { placeOfRemover } from './files/trash.ts';
import { reasonText } from './outcome.pure.ts';
import { endProcesses, listedHere } from './process/orphans.ts';
import { RUN_KIND } from './run-kind.ts';
import { takeBack } from './take-back.ts';

/** A run that is claimed for an attempt of this host of which there is nothing but that claim. */
export interface FoundClaim {
  kind: 'found_claim';
  document: RunDocument;
}

/** Gives the run back to the queue, not counted; what its attempt has made, should it have begun, goes. */
export async function endFoundClaim(
  env: Environment,
  attempt: string,
  document: RunDocument,
  { enter, signal }: Pick<ConcludingSteps, 'enter' | 'signal'>,
): Promise<void> {
  const stored = readRun(document);
  const { number } = stored.ownership;
  const { state } = stored.bootstrax;
  const parsed = checkRun(stored);
  const begun = state === 'busy' && parsed.kind === 'run' ? parsed.run : null;
  if (begun !== null) await endProcesses(env, null, attempt);
  const known = listedHere(env, document);
  const removal = begun === null ? null : removalOf(env, begun, { document, attempt, known });
  enter('concluding');
  const { conclusion, message } = givenBack(env, parsed, String(number));
  const unregister = removal === null ? [] : await withoutFolders(env, removal, known);
  const fence: Fence = {
    ...{ id: document._id, attempt, host: env.host },
    ...(state === 'busy' ? { state } : {}),
  };
  const run = typeof number === 'number' ? number : -1;
  const concluded = await aboutOneRun(env, seenOf(document), () =>
    concludeAsFits(env, { fence, run }, { ...conclusion, unregister }, signal),
  );
  if (concluded?.answer.kind !== 'landed') return;
  env.log.warn({ event: `run.${conclusion.kind}`, run: number, attempt }, message);
  enter('taking_back');
  const remains = {
    ...{ attempt, run, plan: null, removal, ids: [document._id], documents: [] },
    ...{ begun: known, isWhole: false, isConcluded: true, end: null },
  };
  // The id may have been written by another program: only a well-formed id has a place.
  const traces = isAttemptId(attempt) ? (['folders', 'place'] as const) : (['folders'] as const);
  await takeBack(env, RUN_KIND.undoing, { remains, traces }, signal);
}

function removalOf(
  { host, outputDirectory, stagingDirectory }: Environment,
  { number, runId }: Run,
  {
    document: { _id },
    attempt,
    known,
  }: Pick<Removal['remover'], 'attempt' | 'known'> & {
    document: RunDocument;
  },
): Removal {
  const document = idText(_id);
  const remover = { document, attempt, host, purpose: 'take_back', known, silent: false } as const;
  const place = placeOfRemover(stagingDirectory, { host, attempt, outputDirectory });
  return { run: number, runId, outputDirectory, place, remover };
}

/** What is listed and not there, or not once its folders are removed. */
async function withoutFolders(
  env: Environment,
  removal: Removal,
  listed: readonly string[],
): Promise<string[]> {
  let without: string[] = [];
  await unlessDiskTrouble(env, `read the folders of run ${removal.run}`, async () => {
    without = await withoutFolder(env, removal, listed);
  });
  return without;
}

function givenBack(
  env: Environment,
  parsed: ParsedRun,
  label: string,
): { conclusion: Conclusion; message: string } {
  if (parsed.kind === 'malformed') {
    const { problems } = parsed.malformed;
    const text = malformedText(`run ${label}`, problems);
    return {
      conclusion: { kind: 'set_aside', reason: reasonText(env.host, text, ''), problems },
      message: text,
    };
  }
  const { number: run, bootstrax: before } = parsed.run;
  return concludedFailure(
    env,
    { run, before },
    {
      fault: 'surroundings',
      reason:
        'it was claimed by an earlier manager of this host that had not started it, or whose record of it is lost',
      traceback: '',
    },
  );
}
