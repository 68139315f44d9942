import { boundedLine } from '../infra/values/bounded.pure.ts';
import {
  isMissing,
  isObject,
  readClearDate,
  readClearNumber,
  readDate,
  readInteger,
  readNumber,
} from '../infra/values/bson-values.pure.ts';
import type { FieldNotes } from './run-shape.pure.ts';

/** Longest text taken from a document, characters; all its own values are shorter. */
export const LONGEST_TEXT = 300;

export function absentOr(value: unknown, problem: string): string {
  return isMissing(value) ? 'is absent' : problem;
}

/** A text on which no decision depends: a value of another type counts as absent. */
export function optionalString(
  value: unknown,
  field: string,
  { odd }: FieldNotes,
  longest = LONGEST_TEXT,
): string | null {
  if (isMissing(value)) return null;
  if (typeof value === 'string') return boundedLine(value, longest);
  return odd(field, 'is not a string', null);
}

export function optionalDate(value: unknown, field: string, { odd }: FieldNotes): Date | null {
  if (isMissing(value)) return null;
  const date = readDate(value);
  if (date !== null) return date;
  const clear = readClearDate(value);
  return clear === null
    ? odd(field, 'is neither null nor a date', null)
    : odd(field, 'is text, not a date', clear);
}

export function optionalCount(value: unknown, field: string, { odd }: FieldNotes): number {
  if (isMissing(value)) return 0;
  const count = readInteger(value);
  if (count !== null && count >= 0) return count;
  const clear = typeof value === 'string' ? readClearNumber(value) : null;
  return clear !== null && Number.isSafeInteger(clear)
    ? odd(field, 'is text, not a number', clear)
    : odd(field, 'is not a non-negative integer', 0);
}

/** Counts that only this program writes, and that no decision needs; other values are left out. */
export function readCounts(value: unknown): readonly number[] {
  const counts = elementsOf(value).flatMap((each) => readInteger(each) ?? []);
  return [...new Set(counts.filter((count) => count > 0))];
}

/** A text; a value of another type counts as absent. */
export function plainString(value: unknown, longest = LONGEST_TEXT): string | null {
  return typeof value === 'string' ? boundedLine(value, longest) : null;
}

/** Those elements of a list that are text. */
export function plainStrings(value: unknown): string[] {
  return elementsOf(value).flatMap((each) => plainString(each) ?? []);
}

/** A finite number; any other value counts as absent. */
export function plainNumber(value: unknown): number | null {
  const number = readNumber(value);
  return number !== null && Number.isFinite(number) ? number : null;
}

/** The value as text for people, whatever its type; null if it is absent. */
export function shownText(value: unknown): string | null {
  if (isMissing(value)) return null;
  return boundedLine(typeof value === 'string' ? value : jsonOf(value), LONGEST_TEXT);
}

export function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    // No database holds a value that JSON cannot represent, but a caller may.
    return '';
  }
}

/** The elements of a list; none if the value is no list. */
export function elementsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The elements of a list that have fields. */
export function objectsOf(value: unknown): Record<string, unknown>[] {
  return elementsOf(value).filter(isObject);
}
