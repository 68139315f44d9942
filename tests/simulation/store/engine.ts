import { Aggregator } from 'mingo/aggregator';
import { Context, evalExpr } from 'mingo/core';
import * as accumulators from 'mingo/operators/accumulator';
import * as expressions from 'mingo/operators/expression';
import * as stages from 'mingo/operators/pipeline';
import * as queries from 'mingo/operators/query';
import { Query } from 'mingo/query';
import type { Any, AnyObject, Options } from 'mingo/types';
import { Decimal128, type Document } from 'mongodb';

import { isPlainObject, sameValue, type Value } from './values.ts';

/** mingo evaluates filters and expressions; what it does otherwise than MongoDB is put right here. */
const OWN_EXPRESSIONS = {
  // mingo's are those of filters: null equals missing, and an array equals each of its elements.
  $eq: (document: AnyObject, expression: Any, options: Options) =>
    sameOperands(document, expression, options),
  $ne: (document: AnyObject, expression: Any, options: Options) =>
    !sameOperands(document, expression, options),
  // mingo does not know the driver's classes.
  $type: (document: AnyObject, expression: Any, options: Options) => {
    const value = evalExpr(document, expression, options);
    return value instanceof Decimal128
      ? 'decimal'
      : expressions.$type(document, expression, options);
  },
  // mingo has none.
  $indexOfCP: (document: AnyObject, expression: Any, options: Options) => {
    const [text, part] = evalExpr(document, expression, options) as [string, string];
    const at = text.indexOf(part);
    return at < 0 ? -1 : [...text.slice(0, at)].length;
  },
};

function sameOperands(document: AnyObject, expression: Any, options: Options): boolean {
  const [a, b] = evalExpr(document, expression, options) as unknown[];
  return sameValue(a, b);
}

const OWN_QUERIES = {
  // mingo's hashes every value that it is asked about.
  $in: (path: string, values: Any, options: Options) => {
    const tests = (values as Any[]).map((value) => queries.$eq(path, value, options));
    return (document: AnyObject) => tests.some((test) => test(document));
  },
};

const CONTEXT = Context.init({
  accumulator: accumulators,
  expression: { ...expressions, ...OWN_EXPRESSIONS },
  pipeline: stages,
  query: { ...queries, ...OWN_QUERIES },
});

/**
 * mingo's own form of its options, which it hands to each operator. Made by us it carries the time
 * of `$$NOW`, and is not taken apart and built anew, with all operators, for each call.
 */
type OptionsWith = new (options: unknown, locals: { timestamp: number; root: unknown }) => Options;

const { OptionsOf, plainOptions } = (() => {
  let seen: (Options & { options: unknown }) | null = null;
  const look = (_: unknown, __: unknown, options: Options) => {
    seen = options as typeof seen;
    return null;
  };
  const context = Context.init({ expression: { ...expressions, $look: look } });
  evalExpr({}, { $look: 1 }, { context } as never);
  const found = seen as unknown as Options & { options: Record<string, unknown> };
  return {
    OptionsOf: found.constructor as OptionsWith,
    plainOptions: { ...found.options, context: CONTEXT },
  };
})();

/** mingo takes the time 0 for none. */
const optionsAt = (nowMs: number, root: unknown): Options => {
  if (!(nowMs > 0)) throw new Error(`the simulated clock must be after 1970, not at ${nowMs} ms`);
  return new OptionsOf(plainOptions, { timestamp: nowMs, root });
};

const FILTER_OPTIONS = optionsAt(1, undefined);

export function compileQuery(filter: Document): (document: Value) => boolean {
  const query = new Query(filter, FILTER_OPTIONS);
  return (document) => query.test(document);
}

export function aggregate(documents: readonly Value[], pipeline: readonly Document[]): Value[] {
  return new Aggregator([...pipeline], FILTER_OPTIONS).run([...documents]);
}

/** The document after an update pipeline, not yet settled; the one given stays as it is. */
export function applyPipeline(
  document: Value,
  pipeline: readonly Document[],
  nowMs: number,
): Value {
  let current = document;
  for (const stage of pipeline) current = applyStage(current, stage, nowMs);
  return current;
}

function applyStage(document: Value, stage: Document, nowMs: number): Value {
  const [[name, body]] = Object.entries(stage) as [[string, unknown]];
  const options = optionsAt(nowMs, document);
  switch (name) {
    case '$set':
    case '$addFields': {
      const next = { ...document };
      for (const [path, expression] of Object.entries(body as Value)) {
        checkSettable(path, expression);
        const value = evalExpr(document, expression, options);
        if (value === undefined) delete next[path];
        else next[path] = value;
      }
      return next;
    }
    case '$unset': {
      let next = document;
      for (const path of [body].flat() as string[]) next = withoutPath(next, path.split('.'));
      return next;
    }
    case '$replaceWith':
      return evalExpr(document, body, options) as Value;
    default:
      throw new Error(`the simulated store has no stage ${name} in updates`);
  }
}

/** An object without operators is not the new value: its fields are set one by one. */
function checkSettable(path: string, expression: unknown): void {
  if (path.includes('.') || (isPlainObject(expression) && !isOperator(expression))) {
    throw new Error(`the simulated store sets whole fields only, not ${path}`);
  }
}

function isOperator(expression: Value): boolean {
  const [name] = Object.keys(expression);
  return name?.startsWith('$') === true;
}

function withoutPath(value: Value, [name, ...rest]: string[]): Value {
  if (!(name! in value)) return value;
  if (rest.length > 0) {
    const inner = value[name!];
    if (Array.isArray(inner)) throw new Error('the simulated store unsets nothing below an array');
    if (!isPlainObject(inner)) return value;
    return { ...value, [name!]: withoutPath(inner, rest) };
  }
  const { [name!]: _, ...others } = value;
  return others;
}
