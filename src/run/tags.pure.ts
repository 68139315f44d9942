import { isMissing, isObject, readDate } from '../infra/values/bson-values.pure.ts';
import { objectsOf, plainString } from './leaves.pure.ts';
import type { FieldProblem } from './run-shape.pure.ts';
import type { StoredNote } from './stored-run.pure.ts';

export interface StoredTags {
  names: string[];
  named: string[];
  notes: StoredNote[];
  oddities: FieldProblem[];
}

/**
 * The tags of a run. A tag is an object with a name, or plain text that is the name. Other values are
 * noted as oddities.
 */
export function readTags(value: unknown): StoredTags {
  const notes = readNotes(value, 'name');
  const named = objectsOf(value).flatMap(({ name }) => (typeof name === 'string' ? [name] : []));
  if (isMissing(value)) return { names: [], named, notes, oddities: [] };
  const oddities: FieldProblem[] = [];
  const isList = Array.isArray(value);
  if (!isList) oddities.push({ field: 'tags', problem: 'is not an array' });
  const names = (isList ? (value as unknown[]) : [value]).flatMap((tag, i) => {
    const note = (problem: string, name = '') => {
      if (isList) oddities.push({ field: `tags.${i}${name}`, problem });
      return [];
    };
    if (typeof tag === 'string') {
      note('is text, not an object with a name');
      return [tag];
    }
    if (!isObject(tag)) return note('is not an object');
    if (isMissing(tag.name)) return [];
    return typeof tag.name === 'string' ? [tag.name] : note('is not a string', '.name');
  });
  return { names, named, notes, oddities };
}

/** Comments of people on the run. */
export function readComments(value: unknown): StoredNote[] {
  return readNotes(value, 'comment');
}

function readNotes(value: unknown, textField: 'name' | 'comment'): StoredNote[] {
  return objectsOf(value).flatMap((entry) => {
    const text = entry[textField];
    if (typeof text !== 'string') return [];
    return [{ text, by: plainString(entry.user), at: readDate(entry.date) }];
  });
}
