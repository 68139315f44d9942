import type { Document } from 'mongodb';

/** Pieces of update pipelines. Only operators that MongoDB 4.2 knows. */

export type Expression = unknown;

/** Text and objects from outside may contain `$`, which a pipeline would take for a field. */
export function literal(value: unknown): Expression {
  return { $literal: value };
}

/** The sub-document, or an empty one where the field is missing, null or of another type. */
export function objectAt(path: string): Expression {
  return { $cond: [{ $eq: [{ $type: path }, 'object'] }, path, {}] };
}

/** The array, or an empty one where the field is missing, null or of another type. */
export function arrayAt(path: string): Expression {
  return { $cond: [{ $isArray: [path] }, path, []] };
}

/** The array; empty where the field is missing or null; what stands there by itself as its one element. */
export function listAt(path: string): Expression {
  const isList = { $in: [{ $type: path }, ['missing', 'null', 'undefined', 'array']] };
  return { $cond: [isList, arrayAt(path), [path]] };
}

/** The number, or 0 where the field is missing, null or of another type. */
export function numberAt(path: string): Expression {
  return {
    $cond: [{ $in: [{ $type: path }, ['int', 'long', 'double', 'decimal']] }, path, 0],
  };
}

/** The server's time that many seconds from now. */
export function inSeconds(seconds: number): Expression {
  return { $add: ['$$NOW', Math.round(seconds * 1000)] };
}

/** Sets fields of `bootstrax` whatever is there now. */
export function setBootstrax(fields: Record<string, Expression>): Document {
  return { $set: { bootstrax: { $mergeObjects: [objectAt('$bootstrax'), fields] } } };
}

export function unsetBootstrax(...fields: string[]): Document {
  return { $unset: fields.map((field) => `bootstrax.${field}`) };
}
