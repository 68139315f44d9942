import { posix } from 'node:path';

import type { FolderWord, RunNow } from './ownership.pure.ts';

/** A folder of strax in the place of an attempt. */
export interface FolderInPlace {
  /** Final name. */
  name: string;
  runId: string;
  unfinished: boolean;
  word: FolderWord;
}

/** The place of an attempt that nobody works on here. */
export interface PlaceSeen {
  attempt: string;
  folders: readonly FolderInPlace[];
  /** Final names of those that are finished and whole. */
  whole: readonly string[];
  /** The record of the attempt here says that this is its place, and that it is concluded. */
  isRecorded: boolean;
  /** Nothing in it was changed for this long. */
  unchangedSeconds: number;
  /** Why it may still be written to; null: nobody writes to it. */
  heldBecause: string | null;
}

/** The run of which something lies there; null if nothing names one. */
export function runOfPlace({ folders: [first] }: Pick<PlaceSeen, 'folders'>): number | null {
  return first === undefined ? null : Number(first.runId);
}

export interface PlaceVerdict {
  /** `theirs`: another host sees to it. */
  kind: 'remove' | 'stays' | 'theirs';
  why: string;
}

/** What nobody can say whose it is, or that a run lists that nobody has made done since. */
export const FORGOTTEN_SECONDS = 14 * 24 * 3600;

/**
 * May the place of an attempt be removed that is not going on here? What is finished in it stays until
 * the run is done with the same data: a lineage has its name. `documents` are all of the run's number,
 * read after the place was read; empty if nothing in it names a run.
 */
export function placeVerdict(
  place: PlaceSeen,
  documents: readonly RunNow[],
  host: string,
): PlaceVerdict {
  const words = place.folders.flatMap(({ word }) => (word.kind === 'says' ? [word] : []));
  const others = verdictByOthers(place, words, documents, host);
  if (others !== null) return others;
  if (words.length === 0 && !place.isRecorded) {
    return isForgotten(place)
      ? remove('nothing tells whose it is')
      : stays('nothing tells whose it is');
  }
  if (place.heldBecause !== null && !place.isRecorded) return stays(place.heldBecause);
  return verdictByRun(place, runOf(words[0]?.document ?? null, documents));
}

/** What is finished in it waits for its run. */
function verdictByRun(place: PlaceSeen, run: RunNow | null): PlaceVerdict {
  if (place.whole.length === 0) return remove('nothing in it is finished');
  if (run?.state === 'abandoned') return remove('its run is abandoned');
  if (run?.state === 'done' && place.whole.every((name) => lists(run, name))) {
    return remove('its run is done with the same data');
  }
  if (isForgotten(place)) return remove('its run was not done with the same data for two weeks');
  return stays('what is finished in it stays until its run is done with the same data');
}

function isForgotten({ unchangedSeconds }: PlaceSeen): boolean {
  return unchangedSeconds >= FORGOTTEN_SECONDS;
}

/** Where another attempt or host, or the attempt that has the run, decides about it; null if none does. */
function verdictByOthers(
  { attempt, isRecorded }: PlaceSeen,
  words: readonly Extract<FolderWord, { kind: 'says' }>[],
  documents: readonly RunNow[],
  host: string,
): PlaceVerdict | null {
  const foreign = words.find((word) => word.attempt !== attempt);
  if (foreign !== undefined) {
    return stays(`it holds a folder of attempt ${foreign.attempt} on ${foreign.host}`);
  }
  const elsewhere = words.find((word) => word.host !== host);
  if (elsewhere !== undefined && !isRecorded) {
    return { kind: 'theirs', why: `it is of ${elsewhere.host}` };
  }
  const hasRun = documents.some(({ holder }) => holder === attempt);
  return hasRun ? stays('its attempt has the run') : null;
}

function runOf(document: string | null, documents: readonly RunNow[]): RunNow | null {
  if (document !== null) return documents.find((each) => each.document === document) ?? null;
  return documents.length === 1 ? (documents[0] ?? null) : null;
}

/** By its name: another host has it at another path. */
function lists({ listed }: RunNow, name: string): boolean {
  return listed.some(({ location }) => posix.basename(location) === name);
}

function remove(why: string): PlaceVerdict {
  return { kind: 'remove', why };
}

function stays(why: string): PlaceVerdict {
  return { kind: 'stays', why };
}
