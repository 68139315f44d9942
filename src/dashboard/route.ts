import type { Context, MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { z } from 'zod';

import type { DashboardApp, DashboardEnv } from './access/principal.ts';
import { Refusal } from './request-refusal.ts';

/** What one route understands: what is checked, what the API's own description says, and no more. */
export interface RouteSpec<Params = object, Query = object, Body = undefined> {
  method: 'get' | 'post' | 'delete';
  /** In full, as hono writes it: `/api/runs/:run`. */
  path: `/${string}`;
  /** One line for the API's description. */
  about: string;
  params?: z.ZodType<Params>;
  query?: z.ZodType<Query>;
  /** JSON. */
  body?: z.ZodType<Body>;
  /** What is answered, if not JSON. */
  answers?: 'text/event-stream' | 'text/plain';
}

export interface RouteInput<Params, Query, Body> {
  params: Params;
  query: Query;
  body: Body;
}

export type Described = RouteSpec<unknown, unknown, unknown>;

const NOTHING = z.strictObject({});
/** Hundreds of targets with what was seen of each. */
const MOST_BODY_BYTES = 262_144;

const described = new WeakMap<DashboardApp, Described[]>();

/** Every route of the app, in the order in which they were added. */
export function routesOf(app: DashboardApp): readonly Described[] {
  return described.get(app) ?? [];
}

/**
 * Adds a route whose parameters, query and body are checked before the handler sees them: what is
 * not described is refused with 400. Who may use it is not decided here but in `access.ts`.
 */
export function route<Params = object, Query = object, Body = undefined>(
  app: DashboardApp,
  spec: RouteSpec<Params, Query, Body>,
  handler: (
    context: Context<DashboardEnv>,
    input: RouteInput<Params, Query, Body>,
  ) => Response | Promise<Response>,
): void {
  described.set(app, [...routesOf(app), spec]);
  app.on(spec.method.toUpperCase(), spec.path, async (context) =>
    handler(context, {
      params: checked<unknown>(spec.params ?? NOTHING, context.req.param()) as Params,
      query: checked<unknown>(spec.query ?? NOTHING, context.req.query()) as Query,
      body: (spec.body === undefined
        ? undefined
        : checked(spec.body, await jsonOf(context))) as Body,
    }),
  );
}

const limited: MiddlewareHandler<DashboardEnv> = bodyLimit({
  maxSize: MOST_BODY_BYTES,
  onError: () => {
    // The rest of the body is not read: a connection that was kept for the next request would break under it.
    const headers = { connection: 'close' };
    throw new Refusal(413, `the body is longer than ${MOST_BODY_BYTES} bytes`, headers);
  },
});

async function jsonOf(context: Context<DashboardEnv, string>): Promise<unknown> {
  const type = context.req.header('content-type') ?? '';
  // Forms of other sites can send text and forms, but no JSON.
  if (!/^application\/json *(;|$)/i.test(type)) {
    throw new Refusal(415, 'the body must be JSON: content-type application/json');
  }
  await limited(context, () => Promise.resolve());
  const text = textOf(await context.req.arrayBuffer());
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Refusal(400, 'the body is not JSON');
  }
}

function textOf(bytes: ArrayBuffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Refusal(400, 'the body is not UTF-8');
  }
}

function checked<T>(schema: z.ZodType<T>, given: unknown): T {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join('.')}: ${message}`,
  );
  throw new Refusal(400, problems.slice(0, 10).join('; '));
}
