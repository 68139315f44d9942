import { Long, ObjectId } from 'mongodb';

/**
 * Documents are immutable once stored: a new version shares with the old one what did not change,
 * readers get the very objects, and whoever tries to change one is told so by the runtime.
 */
export type Value = Record<string, unknown>;

export function isPlainObject(value: unknown): value is Value {
  return typeof value === 'object' && value !== null && value.constructor === Object;
}

/** A frozen copy of what a caller hands in, as the driver would send it: undefined becomes null. */
export function fromCaller(value: unknown): unknown {
  if (Array.isArray(value)) return Object.freeze(value.map(fromCaller));
  if (!isPlainObject(value)) return value === undefined ? null : value;
  const copy: Value = {};
  for (const key in value) copy[key] = fromCaller(value[key]);
  return Object.freeze(copy);
}

/** A copy that may be changed. */
export function thawed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(thawed);
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, thawed(part)]));
}

/** Freezes what an expression has made; undefined is a missing field, in an array null. */
export function settle(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  if (Array.isArray(value)) {
    const array = value as unknown[];
    for (let i = 0; i < array.length; i++) array[i] = settle(array[i]) ?? null;
    return Object.freeze(array);
  }
  if (!isPlainObject(value)) return value;
  for (const key in value) {
    if (value[key] === undefined) delete value[key];
    else settle(value[key]);
  }
  return Object.freeze(value);
}

/** MongoDB's order of types, as far as they occur. */
function rankOf(value: unknown): number {
  if (value === undefined || value === null) return 1;
  if (typeof value === 'number' || typeof value === 'bigint' || value instanceof Long) return 2;
  if (typeof value === 'string') return 3;
  if (Array.isArray(value)) return 5;
  if (value instanceof ObjectId) return 7;
  if (typeof value === 'boolean') return 8;
  if (value instanceof Date) return 9;
  if (value instanceof RegExp) return 11;
  return 4;
}

/** Orders values as MongoDB sorts them, by type first; objects and arrays count as equal. */
export function compareValues(a: unknown, b: unknown): number {
  const rank = rankOf(a);
  const difference = rank - rankOf(b);
  if (difference !== 0) return difference;
  switch (rank) {
    case 2:
    case 8:
    case 9:
      return Number(a) - Number(b);
    case 3:
      return (a as string) < (b as string) ? -1 : a === b ? 0 : 1;
    case 7:
      return compareValues((a as ObjectId).toHexString(), (b as ObjectId).toHexString());
    default:
      return 0;
  }
}

/** Equal as two stored values: another type is another value. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
    return Object.is(a, b);
  }
  if (a instanceof Date) return b instanceof Date && a.getTime() === b.getTime();
  if (a instanceof ObjectId) return b instanceof ObjectId && a.equals(b);
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, i) => sameValue(item, b[i]));
  }
  if (!isPlainObject(a) || !isPlainObject(b)) return false;
  const names = Object.keys(a);
  const others = Object.keys(b);
  // The order of the fields is part of the value.
  return (
    names.length === others.length &&
    names.every((name, i) => name === others[i] && sameValue(a[name], b[name]))
  );
}
