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

/** Characters of what a document says of itself; none of its own words is as long. */
export const LONGEST_TEXT = 300;

export function absentOr(value: unknown, problem: string): string {
  return isMissing(value) ? 'is absent' : problem;
}

/** Nothing depends on it: of another type it counts as absent. */
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

/** Ours alone, and no decision needs it: what is no count is not there. */
export function readCounts(value: unknown): readonly number[] {
  const counts = elementsOf(value).flatMap((each) => readInteger(each) ?? []);
  return [...new Set(counts.filter((count) => count > 0))];
}

/** A text of ours; anything else is not there. */
export function plainString(value: unknown, longest = LONGEST_TEXT): string | null {
  return typeof value === 'string' ? boundedLine(value, longest) : null;
}

/** Those elements of a list that are text. */
export function plainStrings(value: unknown): string[] {
  return elementsOf(value).flatMap((each) => plainString(each) ?? []);
}

/** A number that can be calculated with; anything else is not there. */
export function plainNumber(value: unknown): number | null {
  const number = readNumber(value);
  return number !== null && Number.isFinite(number) ? number : null;
}

/** Whatever stands there, for people; null for nothing. */
export function shownText(value: unknown): string | null {
  if (isMissing(value)) return null;
  return boundedLine(typeof value === 'string' ? value : jsonOf(value), LONGEST_TEXT);
}

export function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    // No database holds what JSON cannot say, but a caller may.
    return '';
  }
}

/** Of what is no list none. */
export function elementsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The elements of a list that have fields. */
export function objectsOf(value: unknown): Record<string, unknown>[] {
  return elementsOf(value).filter(isObject);
}
