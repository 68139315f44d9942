import { z } from 'zod';

import type { Setting } from './schema/setting.pure.ts';

type Json = z.core.JSONSchema.BaseSchema;

/** What fits a setting, in words: `a whole number above 0`. */
export function expectedOf(setting: Setting, schema: z.ZodType): string {
  if (setting.expected !== undefined) return setting.expected;
  if (setting.kind === 'path') return 'a path';
  if (setting.kind === 'command') return 'a command or a path';
  return inWords(written(schema));
}

/** What is wrong with a value: what was found, and what is expected. */
export interface Problem {
  /** Where in a table it is; empty for the value itself. */
  at: readonly string[];
  text: string;
}

/** Everything that is wrong with a value. */
export function problemsOf(
  setting: Setting,
  schema: z.ZodType,
  value: unknown,
  issues: readonly z.core.$ZodIssue[],
): Problem[] {
  if (setting.kind !== 'table') {
    return [{ at: [], text: unfit(setting, value, expectedOf(setting, schema)) }];
  }
  return issues.map((issue) => {
    const fields = propertyAt(written(schema), issue.path);
    const place = placeInWords(issue.path);
    const at = issue.path.map(String);
    if (issue.code === 'unrecognized_keys') {
      const known = Object.keys(fields.properties ?? {}).join(', ');
      const text = `${place}found ${issue.keys.join(', ')}, expected only ${known}`;
      return { at: [...at, ...issue.keys.slice(0, 1)], text };
    }
    return { at, text: place + unfit(setting, valueAt(value, issue.path), inWords(fields)) };
  });
}

/** `found "many", expected a number above 0`; a secret is not repeated. */
export function unfit({ secret, hidden }: Setting, value: unknown, expected: string): string {
  const found = secret || hidden ? 'a value that is not shown here' : foundInWords(value);
  return `found ${found}, expected ${expected}`;
}

const LONGEST = 60;

function foundInWords(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text;
}

function written(schema: z.ZodType): Json {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
}

function inWords(schema: Json): string {
  const { enum: words, anyOf } = schema;
  if (words !== undefined) return `one of ${words.map(String).join(', ')}`;
  if (anyOf !== undefined)
    return inWords(asSchema(anyOf.find((one) => asSchema(one).type !== 'null')));
  switch (schema.type) {
    case 'integer':
      return `a whole number${limitsInWords(schema)}`;
    case 'number':
      return `a number${limitsInWords(schema)}`;
    case 'boolean':
      return 'true or false';
    case 'array':
      return asSchema(schema.items).type === 'object' ? 'rows of a table' : 'a list of words';
    case 'string':
      return 'text';
    default:
      return 'a table';
  }
}

function limitsInWords({ minimum, exclusiveMinimum, maximum }: Json): string {
  // Every whole number has the greatest safe one as its limit.
  const most = maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? null : maximum;
  if (exclusiveMinimum !== undefined) {
    return ` above ${exclusiveMinimum}${most === null ? '' : ` and at most ${most}`}`;
  }
  if (minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER) return '';
  return most === null ? ` of at least ${minimum}` : ` from ${minimum} to ${most}`;
}

/** `row 2, cores: `, counted from 1. */
function placeInWords(path: readonly PropertyKey[]): string {
  if (path.length === 0) return '';
  const steps = path.map((step) => (typeof step === 'number' ? `row ${step + 1}` : String(step)));
  return `${steps.join(', ')}: `;
}

function propertyAt(schema: Json, path: readonly PropertyKey[]): Json {
  return path.reduce<Json>((node, step) => {
    if (typeof step === 'number') return asSchema(node.items);
    return asSchema(node.properties?.[String(step)] ?? node.additionalProperties);
  }, schema);
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (node, step) =>
      typeof node === 'object' && node !== null
        ? (node as Record<PropertyKey, unknown>)[step]
        : undefined,
    value,
  );
}

/** JSON Schema allows yes, no and lists where we write a schema. */
function asSchema(node: Json['items']): Json {
  return typeof node === 'object' && !Array.isArray(node) ? node : {};
}
