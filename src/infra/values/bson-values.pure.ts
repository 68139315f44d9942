/**
 * Values as they come out of the database driver or of Extended JSON: numbers may be wrapped
 * (Int32, Long, Double), depending on how the document was read.
 */

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isMissing(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}

/** null where the value is no number of any kind; NaN and infinities are numbers. */
export function readNumber(value: unknown): number | null {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (!isObject(value)) return null;
  switch (value._bsontype) {
    case 'Int32':
    case 'Double':
      return typeof value.value === 'number' ? value.value : null;
    case 'Long':
      return readLong(value);
    default:
      return null;
  }
}

function readLong(value: Record<string, unknown>): number | null {
  const { low, high } = value;
  if (typeof low !== 'number' || typeof high !== 'number') return null;
  return high * 2 ** 32 + (low >>> 0);
}

/** null where the value is no integer that a double holds exactly. */
export function readInteger(value: unknown): number | null {
  const number = readNumber(value);
  // Minus zero is zero.
  return number !== null && Number.isSafeInteger(number) ? number + 0 : null;
}

/** null where the value is no valid date. */
export function readDate(value: unknown): Date | null {
  return value instanceof Date && !Number.isNaN(value.getTime()) ? value : null;
}

/** A number, or text that spells one out in plain decimals. */
export function readClearNumber(value: unknown): number | null {
  if (typeof value !== 'string') return readNumber(value);
  return /^\d{1,15}(\.\d{1,15})?$/.test(value) ? Number(value) : null;
}

const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

/** A date, or text that names the moment with its time zone. */
export function readClearDate(value: unknown): Date | null {
  if (typeof value !== 'string') return readDate(value);
  return TIMESTAMP.test(value) ? readDate(new Date(value)) : null;
}

/** The fields of what may be an object; none of anything else. */
export function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
