import { isMissing, isObject, readDate } from '../infra/values/bson-values.pure.ts';
import { absentOr, elementsOf, objectsOf, optionalString, plainString } from './leaves.pure.ts';
import type { BootstraxFields, FieldNotes } from './run-shape.pure.ts';
import type { StoredDeletion, StoredEntry } from './stored-run.pure.ts';

/** Entries of `data` that are objects. */
export function readData(value: unknown, notes: FieldNotes): readonly StoredEntry[] {
  if (!Array.isArray(value)) return notes.stop('data', absentOr(value, 'is not an array'), []);
  if (value.length === 0) return notes.stop('data', 'is empty', []);
  return value.flatMap((entry: unknown, i) => {
    if (!isObject(entry)) return notes.odd(`data.${i}`, 'is not an object', []);
    const type = optionalString(entry.type, `data.${i}.type`, notes);
    const host = optionalString(entry.host, `data.${i}.host`, notes);
    const isLive = type === 'live';
    const location =
      isLive && typeof entry.location !== 'string'
        ? null
        : optionalString(entry.location, `data.${i}.location`, notes, Infinity);
    return { type, host, location };
  });
}

/** Entries of `deleted_data` that are objects. */
export function readDeletedData(value: unknown): readonly StoredDeletion[] {
  return objectsOf(value).map(({ type, host, at, by }) => ({
    type: plainString(type),
    host: plainString(host),
    at: readDate(at),
    by: plainString(by),
  }));
}

/** A path from a document must be an absolute path; it is read only below this host's own roots. */
function livePathProblem(location: unknown): string | null {
  if (isMissing(location)) return 'is absent';
  if (typeof location !== 'string') return 'is not a string';
  if (!location.startsWith('/')) return 'is not an absolute path';
  if (location.includes('\0')) return 'contains a NUL character';
  if (location.split('/').includes('..')) return "contains '..'";
  return null;
}

/** Location of the first live entry that can be used; faults of the others are noted. */
export function readLiveLocation(
  raw: unknown,
  bootstrax: BootstraxFields,
  notes: FieldNotes,
): string | null {
  const entries = elementsOf(raw);
  const live = entries.flatMap((entry, i) =>
    isObject(entry) && entry.type === 'live'
      ? { field: `data.${i}.location`, location: entry.location }
      : [],
  );
  const usable = live.find(({ location }) => livePathProblem(location) === null);
  for (const { field, location } of live) {
    const problem = livePathProblem(location);
    if (problem === null) continue;
    if (usable === undefined) notes.stop(field, problem, null);
    else notes.odd(field, problem, null);
  }
  if (typeof usable?.location === 'string') return usable.location;
  const over = bootstrax.state === 'done' || bootstrax.state === 'abandoned';
  // The live data of a processed run may be deleted: then its document is still correct.
  if (live.length === 0 && entries.length > 0 && !over && bootstrax.startedProcessing === null) {
    notes.stop('data', "has no element of type 'live'", null);
  }
  return null;
}
