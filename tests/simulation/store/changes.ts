import { isPlainObject, sameValue, type Value } from './values.ts';

export interface Difference {
  /** By dotted path, as in the `updateDescription` of a change stream. */
  updatedFields: Value;
  removedFields: string[];
  truncatedArrays: { field: string; newSize: number }[];
}

/** How a change stream describes the way from one version of a document to the next. */
export function difference(before: Value, after: Value): Difference {
  const found: Difference = { updatedFields: {}, removedFields: [], truncatedArrays: [] };
  compare(before, after, '', found);
  return found;
}

function compare(before: Value, after: Value, prefix: string, found: Difference): void {
  for (const name in after) {
    const [old, value] = [before[name], after[name]];
    if (old === value) continue;
    const path = prefix + name;
    if (!(name in before)) found.updatedFields[path] = value;
    else if (isPlainObject(old) && isPlainObject(value)) compare(old, value, `${path}.`, found);
    else if (Array.isArray(old) && Array.isArray(value)) compareArrays(old, value, path, found);
    else if (!sameValue(old, value)) found.updatedFields[path] = value;
  }
  for (const name in before) {
    if (!(name in after)) found.removedFields.push(prefix + name);
  }
}

function compareArrays(
  before: readonly unknown[],
  after: readonly unknown[],
  path: string,
  found: Difference,
): void {
  after.forEach((item, i) => {
    if (i >= before.length || !sameValue(before[i], item)) {
      found.updatedFields[`${path}.${i}`] = item;
    }
  });
  if (after.length < before.length) {
    found.truncatedArrays.push({ field: path, newSize: after.length });
  }
}
