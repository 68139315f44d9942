import type { ObjectId } from 'mongodb';

import { unlessDiskTrouble } from '../ports/disk-trouble.ts';
import type { Environment } from '../ports/environment.ts';
import { untilAnswered } from '../ports/persist.ts';
import { type AttemptEnd, endHistory } from '../retry/attempt-history.ts';
import type { Fence } from '../run/run.port.ts';
import type { Run } from '../run/run.pure.ts';
import type { RunDocument } from '../run/run-document.port.ts';
import type { Plan } from './attempt.pure.ts';
import { type Trace, TRACES } from './attempt-phases.pure.ts';
import { type Removal, takingBack } from './files/removal.ts';

/** What is left of an attempt, as far as it is known. */
export interface Remains {
  attempt: string;
  run: number;
  /** Null: it has come to none, or its record is lost. */
  plan: Plan | null;
  /** What it may remove of its run, and where; null: nothing of it is on disk. */
  removal: Removal | null;
  /** Of its run document; of all with its number where the plan does not say which that is. */
  ids: readonly ObjectId[];
  /** These documents as they are now, those of them that were read. */
  documents: readonly RunDocument[];
  /** Final paths of what it has begun. */
  begun: readonly string[];
  /** What it has made is finished and was found to be whole. */
  isWhole: boolean;
  /** The run says what became of this attempt. */
  isConcluded: boolean;
  /** Its end, as its manager has seen it; null for one that was found dead. */
  end: AttemptEnd | null;
}

/** Of an attempt that this manager has worked on: what is left of it, and whatever else is `known` of that. */
export function remainsOf(
  env: Environment,
  { run, fence, plan, locations = [] }: Worked,
  known: Partial<Remains>,
): Remains {
  return {
    ...{ attempt: fence.attempt, run: run.number, plan, ids: [fence.id], documents: [] },
    removal: plan === null ? null : takingBack(env, plan, locations),
    ...{ begun: locations, isWhole: false, isConcluded: false, end: null },
    ...known,
  };
}

interface Worked {
  run: Pick<Run, 'number'>;
  fence: Fence;
  plan: Plan | null;
  /** Folders that strax began, final names. */
  locations?: readonly string[];
}

type OnDisk = Remains & { removal: Removal };

/**
 * Takes one trace back. Safe to repeat, and where there is none. Answers the folders that it has
 * removed; null if `signal` ended the waiting.
 */
type Undo<What> = (
  env: Environment,
  remains: What,
  signal: AbortSignal,
) => Promise<readonly string[] | null>;

type OfDatabase = Extract<Trace, 'history' | 'monitor' | 'claim'>;

/** How a kind of attempt takes each of its traces back: none is left out. */
export type Undoing = Readonly<
  Record<OfDatabase, Undo<Remains>> & Record<Exclude<Trace, OfDatabase>, Undo<OnDisk>>
>;

export interface TakenBack {
  removed: readonly string[];
  /** False: the disk has refused a part, which the next housekeeping takes back. */
  isComplete: boolean;
}

/**
 * Takes back what an attempt has left, wherever its life has ended: these traces, in their order. After
 * a step that the disk refuses those that rest on it wait for the next housekeeping. Null if `signal`
 * ended the waiting: the next start goes on.
 */
export async function takeBack(
  env: Environment,
  undoing: Undoing,
  { remains, traces }: { remains: Remains; traces: readonly Trace[] },
  signal: AbortSignal,
): Promise<TakenBack | null> {
  const { removal, attempt, run } = remains;
  const removed: string[] = [];
  let isComplete = true;
  for (const trace of TRACES.filter((each) => traces.includes(each))) {
    let answer: readonly string[] | null = [];
    if (isOfDatabase(trace)) {
      answer = await undoing[trace](env, remains, signal);
    } else if (removal !== null && isComplete) {
      const undo = undoing[trace];
      const what = `take back what attempt ${attempt} at run ${run} has left (${trace})`;
      isComplete = await unlessDiskTrouble(env, what, async () => {
        answer = await undo(env, { ...remains, removal }, signal);
      });
    }
    if (answer === null || signal.aborted) return null;
    removed.push(...answer);
  }
  return { removed, isComplete };
}

function isOfDatabase(trace: Trace): trace is OfDatabase {
  return trace === 'history' || trace === 'monitor' || trace === 'claim';
}

/** What of it should still be alive ends itself. */
export async function forbidProcesses(
  { attempts }: Environment,
  { attempt, isConcluded }: Remains,
): Promise<readonly string[]> {
  if (!isConcluded) await attempts.markSuperseded(attempts.directoryOf(attempt));
  return [];
}

/** A success that is noted there and never came about is corrected. */
export async function correctHistory(
  env: Environment,
  { attempt, end, isConcluded }: Remains,
  signal: AbortSignal,
): Promise<readonly string[] | null> {
  if (end !== null) {
    const isNoted = await endHistory(env, attempt, end, signal);
    return isNoted ? [] : null;
  }
  if (isConcluded) return [];
  const read = await untilAnswered(env, `attempt ${attempt}`, signal, async () => ({
    history: await env.store.attempts.get(attempt),
  }));
  if (read === null) return null;
  const noted = read.history?.result;
  if (noted?.outcome !== 'done') return [];
  const reason = 'the run was taken over or concluded by others';
  const outcome = { ...noted, outcome: 'superseded', counted: false, reason } as const;
  return (await endHistory(env, attempt, { outcome }, signal)) ? [] : null;
}

/** Of this kind of attempt there is nothing of the sort. */
export function nothingLeft(): Promise<readonly string[]> {
  return Promise.resolve([]);
}
