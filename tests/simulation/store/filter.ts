import { type Document, ObjectId } from 'mongodb';

import { compileQuery } from './engine.ts';
import { isPlainObject, sameValue, type Value } from './values.ts';

type Test = (value: unknown) => boolean;

interface Condition {
  path: readonly string[];
  /** Decides for a value that is in no list and is none itself; null: only mingo can tell. */
  plain: Test | null;
  /** By mingo, which knows lists and all operators; compiled when first needed. */
  full: (document: Value) => boolean;
}

/**
 * A filter to be asked of documents. Nearly every question is about a plain value with one of a few
 * operators: those are answered here, thousands of times for each simulated run, the rest by mingo.
 */
export function compileFilter(filter: Document): (document: Value) => boolean {
  const conditions = Object.entries(filter).map(([field, condition]) =>
    conditionOf(field, condition),
  );
  return (document) => conditions.every((condition) => holds(condition, document));
}

function holds({ path, plain, full }: Condition, document: Value): boolean {
  if (plain === null) return full(document);
  let value: unknown = document;
  for (const name of path) {
    if (typeof value !== 'object' || value === null) {
      value = undefined;
      break;
    }
    if (Array.isArray(value)) return full(document);
    value = (value as Value)[name];
  }
  return Array.isArray(value) ? full(document) : plain(value);
}

function conditionOf(field: string, condition: unknown): Condition {
  let query: ((document: Value) => boolean) | null = null;
  return {
    path: field.split('.'),
    plain: field.startsWith('$') ? null : plainTest(condition),
    full: (document) => (query ??= compileQuery({ [field]: condition }))(document),
  };
}

function plainTest(condition: unknown): Test | null {
  if (!isPlainObject(condition)) return equals(condition);
  const tests = Object.entries(condition).map(([operator, operand]) =>
    operation(operator, operand),
  );
  if (tests.length === 0 || tests.includes(null)) return null;
  return (value) => tests.every((test) => test!(value));
}

function operation(operator: string, operand: unknown): Test | null {
  switch (operator) {
    case '$eq':
      return equals(operand);
    case '$ne':
      return negated(equals(operand));
    case '$not':
      return isPlainObject(operand) ? negated(plainTest(operand)) : null;
    case '$in': {
      const tests = (operand as unknown[]).map(equals);
      return tests.includes(null) ? null : (value) => tests.some((test) => test!(value));
    }
    // A value that is no list is taken for a list of itself, which mingo does not do.
    case '$all': {
      const tests = (operand as unknown[]).map(equals);
      return tests.includes(null) ? null : (value) => tests.every((test) => test!(value));
    }
    case '$lt':
      return compared(operand, (value, limit) => value < limit);
    case '$lte':
      return compared(operand, (value, limit) => value <= limit);
    case '$gt':
      return compared(operand, (value, limit) => value > limit);
    case '$gte':
      return compared(operand, (value, limit) => value >= limit);
    default:
      return null;
  }
}

function negated(test: Test | null): Test | null {
  return test === null ? null : (value) => !test(value);
}

function equals(operand: unknown): Test | null {
  // A missing field equals null.
  if (operand === null || operand === undefined) {
    return (value) => value === null || value === undefined;
  }
  const whole =
    typeof operand !== 'object' ||
    operand instanceof Date ||
    operand instanceof ObjectId ||
    isPlainObject(operand);
  return whole ? (value) => sameValue(value, operand) : null;
}

/** A value of another type is neither before nor after. */
function compared(operand: unknown, order: (a: number, b: number) => boolean): Test | null {
  if (typeof operand === 'number') {
    return (value) => typeof value === 'number' && order(value, operand);
  }
  if (operand instanceof Date) {
    const limit = operand.getTime();
    return (value) => value instanceof Date && order(value.getTime(), limit);
  }
  return null;
}
