import { Double, Int32, Long, ObjectId } from 'mongodb';

/**
 * Documents are immutable once stored: a new version shares with the old one what did not change,
 * readers get the very objects, and whoever tries to change one is told so by the runtime.
 */
export type Value = Record<string, unknown>;

export function isPlainObject(value: unknown): value is Value {
  return typeof value === 'object' && value !== null && value.constructor === Object;
}

/**
 * A frozen copy of what a caller hands in, as the driver would read it again: undefined becomes null,
 * and numbers of all kinds but one are numbers.
 */
export function fromCaller(value: unknown): unknown {
  if (Array.isArray(value)) return Object.freeze(value.map(fromCaller));
  if (!isPlainObject(value)) {
    if (value === undefined) return null;
    const number = value instanceof Int32 || value instanceof Double || value instanceof Long;
    return number ? Number(value) : value;
  }
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

/** What a value is sorted by: its type, in MongoDB's order of types, then its size. */
export interface SortKey {
  rank: number;
  size: number | string;
}

/** Objects are all alike, and so are arrays: nothing is sorted by them. */
export function sortKey(value: unknown): SortKey {
  if (value === undefined || value === null) return { rank: 1, size: 0 };
  if (typeof value === 'number') return { rank: 2, size: value };
  if (typeof value === 'string') return { rank: 3, size: value };
  if (Array.isArray(value)) return { rank: 5, size: 0 };
  if (value instanceof ObjectId) return { rank: 7, size: value.toHexString() };
  if (typeof value === 'boolean') return { rank: 8, size: Number(value) };
  if (value instanceof Date) return { rank: 9, size: value.getTime() };
  return { rank: 4, size: 0 };
}

export function compareKeys(a: SortKey, b: SortKey): number {
  if (a.rank !== b.rank) return a.rank - b.rank;
  return Number(a.size > b.size) - Number(a.size < b.size);
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
  return isPlainObject(a) && isPlainObject(b) && sameFields(a, b);
}

function sameFields(a: Record<string, unknown>, b: Record<string, unknown>): boolean {
  const names = Object.keys(a);
  const others = Object.keys(b);
  // The order of the fields is part of the value.
  return (
    names.length === others.length &&
    names.every((name, i) => name === others[i] && sameValue(a[name], b[name]))
  );
}
