import type { ApiOperation, ApiParameter, Json } from '../../src/dashboard/api-description.ts';

/** One way to ask for something. */
export interface Asked {
  /** In capitals. */
  method: string;
  path: string;
  operation: ApiOperation;
}

/** What a value may be, in a line. */
export function schemaWords(schema: Json): string {
  const { enum: words, const: word, type, pattern, default: usual, anyOf } = schema;
  const parts = [];
  if (Array.isArray(words)) parts.push(words.map(String).join(', '));
  else if (word !== undefined) parts.push(JSON.stringify(word));
  else if (Array.isArray(anyOf))
    parts.push(anyOf.map((each) => schemaWords(each as Json)).join(' or '));
  else if (typeof type === 'string') parts.push(type);
  parts.push(...boundsOf(schema));
  if (typeof pattern === 'string') parts.push(`like ${pattern}`);
  if (usual !== undefined) parts.push(`usually ${JSON.stringify(usual)}`);
  return parts.join(', ');
}

function boundsOf({ minimum, maximum, minLength, maxLength }: Json): string[] {
  const bounds = [
    ['from', minimum],
    ['to', maximum],
    ['at least', minLength, 'characters'],
    ['at most', maxLength, 'characters'],
  ] as const;
  return bounds.flatMap(([word, value, unit = '']) =>
    typeof value === 'number' ? [`${word} ${value} ${unit}`.trim()] : [],
  );
}

/** A parameter with all that it may be. */
export function parameterWords({ schema, required, description }: ApiParameter): string {
  return [required ? 'required' : '', schemaWords(schema), description ?? '']
    .filter((part) => part !== '')
    .join('; ');
}

/** The body that a request takes; null: none. */
export function bodySchema({ requestBody }: ApiOperation): Json | null {
  return requestBody?.content['application/json']?.schema ?? null;
}

/** The command that asks for it, with what has to be filled in in capitals. */
export function curlCommand({ method, path, operation }: Asked, origin: string): string {
  const inPath = path.replace(/\{(\w+)\}/g, (_, name: string) => name.toUpperCase());
  const query = operation.parameters
    .filter((each) => each.in === 'query' && each.required)
    .map(({ name }) => `${name}=${name.toUpperCase()}`);
  const url = `${origin}${inPath}${query.length === 0 ? '' : `?${query.join('&')}`}`;
  const headers = operation.parameters
    .filter((each) => each.in === 'header')
    .map(({ name }) => `-H '${name}: TOKEN'`);
  const isStream = 'text/event-stream' in (operation.responses['200']?.content ?? {});
  return [
    'curl -fsS -b cookies',
    ...(isStream ? ['-N'] : []),
    ...(method === 'DELETE' ? ['-X DELETE'] : []),
    ...headers,
    ...(bodySchema(operation) === null ? [] : ["-H 'content-type: application/json'", "-d 'BODY'"]),
    `'${url}'`,
  ].join(' ');
}
