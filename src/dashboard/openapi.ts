import { z } from 'zod';

import { CSRF_HEADER, SESSION_PATH } from './access/access.ts';
import type { ApiDescription, ApiOperation, ApiParameter, Json } from './api-description.ts';
import type { Described } from './route.ts';

const REFUSALS: Readonly<Record<string, string>> = {
  400: 'What was sent is not understood; the message says what.',
  401: 'Nobody is logged in.',
  403: 'Known, but not allowed; or the token of the page is missing.',
  404: 'There is no such thing.',
  405: 'Not with this method.',
  421: 'The server is not known by this name.',
  503: 'The databases do not answer.',
};
const OF_BODIES: Readonly<Record<string, string>> = {
  413: 'The body is too long.',
  415: 'The body is not JSON.',
  429: 'Too many tries; Retry-After says when to come back.',
};

/** The API's own description, OpenAPI 3.1, made from the schemas by which each request is checked. */
export function openApi(routes: readonly Described[], version: string): ApiDescription {
  const paths: ApiDescription['paths'] = {};
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    (paths[path] ??= {})[route.method] = operationOf(route);
  }
  return {
    openapi: '3.1.0',
    info: { title: 'bootstrax', version },
    paths,
    components: {
      schemas: {
        Error: {
          type: 'object',
          required: ['error'],
          properties: { error: { type: 'string' } },
        },
      },
    },
  };
}

function operationOf({
  method,
  path,
  about,
  params,
  query,
  body,
  answers,
}: Described): ApiOperation {
  const needsToken = method !== 'get' && path !== SESSION_PATH;
  const token: ApiParameter = {
    ...{ name: CSRF_HEADER, in: 'header', required: true, schema: { type: 'string' } },
    description: `What GET ${SESSION_PATH} gives as csrf.`,
  };
  const refusals = { ...REFUSALS, ...(body === undefined ? {} : OF_BODIES) };
  return {
    summary: about,
    parameters: [
      ...parametersOf(params, 'path'),
      ...parametersOf(query, 'query'),
      ...(needsToken ? [token] : []),
    ],
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': schemaIn(body) } } }),
    responses: {
      200: { description: 'As asked.', content: { [answers ?? 'application/json']: {} } },
      ...Object.fromEntries(
        Object.entries(refusals).map(([status, description]) => [
          status,
          {
            description,
            content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
          },
        ]),
      ),
    },
  };
}

function parametersOf(schema: z.ZodType | undefined, place: 'path' | 'query'): ApiParameter[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = jsonSchema(schema) as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, each]) => ({
    ...{ name, in: place, required: required.includes(name), schema: each },
  }));
}

function schemaIn(schema: z.ZodType): { schema: Json } {
  return { schema: jsonSchema(schema) };
}

/** Of what comes in, before it is made into numbers. */
function jsonSchema(schema: z.ZodType): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input' }) as Json;
  return rest;
}
