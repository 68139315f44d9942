import type { Document } from 'mongodb';

import { isPlainObject, type Value } from './values.ts';

type Wanted = Map<string, Wanted | true>;

const compiled = new WeakMap<Document, (document: Value) => Value>();

/** What a reader gets of a document: fields named with 1, or all but `_id`. */
export function projected(document: Value, projection: Document | undefined): Value {
  if (projection === undefined) return document;
  let project = compiled.get(projection);
  if (project === undefined) {
    project = compile(projection);
    compiled.set(projection, project);
  }
  return project(document);
}

function compile(projection: Document): (document: Value) => Value {
  const { _id: id = 1, ...fields } = projection as Record<string, unknown>;
  const paths = Object.keys(fields);
  if (!Object.values(fields).every((value) => value === 1)) {
    throw new Error('the simulated store can leave out nothing but _id');
  }
  if (paths.length === 0 && id === 0) {
    return ({ _id, ...rest }) => rest;
  }
  const wanted: Wanted = new Map<string, Wanted | true>();
  if (id === 1) wanted.set('_id', true);
  for (const path of paths) add(wanted, path.split('.'));
  return (document) => pick(document, wanted);
}

function add(wanted: Wanted, [name, ...rest]: string[]): void {
  if (rest.length === 0) {
    wanted.set(name!, true);
    return;
  }
  const earlier = wanted.get(name!);
  if (earlier === true) throw new Error(`${name} is both projected and taken apart`);
  const inner: Wanted = earlier ?? new Map<string, Wanted | true>();
  wanted.set(name!, inner);
  add(inner, rest);
}

function pick(value: Value, wanted: Wanted): Value {
  const picked: Value = {};
  for (const name in value) {
    const inner = wanted.get(name);
    if (inner === undefined) continue;
    const part = inner === true ? value[name] : below(value[name], inner);
    if (part !== undefined) picked[name] = part;
  }
  return picked;
}

/** Of arrays each object, of anything else nothing. */
function below(value: unknown, wanted: Wanted): unknown {
  if (isPlainObject(value)) return pick(value, wanted);
  if (!Array.isArray(value)) return undefined;
  return value.map((item) => below(item, wanted)).filter((item) => item !== undefined);
}
