import { Hono, type Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import type { z } from 'zod';

import { StoreError } from '../store/errors.ts';
import type { OverviewFilter } from '../store/types.ts';
import { failuresAnswer, hostHistory, logFile, progressAnswer, runsAnswer } from './answers.ts';
import type { ErrorAnswer } from './api.ts';
import type { Asset } from './assets.ts';
import {
  attemptInput,
  failuresQuery,
  historyQuery,
  hostInput,
  logQuery,
  nothingInput,
  runNumberInput,
  runsQuery,
} from './inputs.ts';
import { documentText, runAnswer } from './run-answer.ts';
import { tellLog, tellPanels } from './streams.ts';
import type { Surroundings } from './surroundings.ts';

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': POLICY,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), microphone=(), geolocation=()',
};

/** An answer that is not what was asked for. */
class Refusal extends Error {
  constructor(
    readonly status: 400 | 404,
    message: string,
  ) {
    super(message);
  }
}

/** The dashboard as one function from requests to answers. It only reads. */
export function createApp(
  surroundings: Surroundings,
  assets: ReadonlyMap<string, Asset>,
  isOwnName: (hostHeader: string) => boolean,
): Hono {
  const { feeder, log } = surroundings;
  const app = new Hono();

  app.use(async (context, next) => {
    for (const [name, value] of Object.entries(HEADERS)) context.header(name, value);
    // A page of somebody else's, whose name was made to point here, must not read along.
    if (!isOwnName(context.req.header('host') ?? '')) {
      return refuse(context, 421, 'this server is not known by that name');
    }
    if (context.req.method !== 'GET' && context.req.method !== 'HEAD') {
      return refuse(context, 405, 'only GET is understood');
    }
    feeder.want();
    await next();
  });

  const api = new Hono();
  api.use(async (context, next) => {
    context.header('Cache-Control', 'no-store');
    await next();
  });

  api.get('/stream', (context) => {
    input(nothingInput, context.req.query());
    return streamSSE(
      context,
      (stream) => tellPanels(feeder, stream, context.req.header('last-event-id')),
      (error) => told(log, error),
    );
  });

  api.get('/runs', async (context) => {
    const query = input(runsQuery, context.req.query());
    // Absent is not the same as undefined.
    const given = Object.fromEntries(
      Object.entries(query).filter(([, value]) => value !== undefined),
    ) as OverviewFilter & { from?: number; to?: number; before?: number; limit?: number };
    return context.json(await runsAnswer(surroundings, given));
  });

  api.get('/runs/:run', async (context) => {
    input(nothingInput, context.req.query());
    const { run } = input(runNumberInput, context.req.param());
    return context.json(found(await runAnswer(surroundings, run), `there is no run ${run}`));
  });

  api.get('/runs/:run/document', async (context) => {
    input(nothingInput, context.req.query());
    const { run } = input(runNumberInput, context.req.param());
    const text = found(await documentText(surroundings, run), `there is no run ${run}`);
    return context.json({ text });
  });

  api.get('/attempts/:attempt/progress', async (context) => {
    input(nothingInput, context.req.query());
    const { attempt } = input(attemptInput, context.req.param());
    return context.json(found(await progressAnswer(surroundings, attempt), notHere(attempt)));
  });

  api.get('/attempts/:attempt/log', async (context) => {
    const { lines } = input(logQuery, context.req.query());
    const { attempt } = input(attemptInput, context.req.param());
    const file = found(await logFile(surroundings, attempt), notHere(attempt));
    return streamSSE(
      context,
      (stream) => tellLog(file, stream, lines, context.req.header('last-event-id')),
      (error) => told(log, error),
    );
  });

  api.get('/hosts/:host/history', async (context) => {
    const { hours } = input(historyQuery, context.req.query());
    const { host } = input(hostInput, context.req.param());
    return context.json(await hostHistory(surroundings, host, hours));
  });

  api.get('/failures', async (context) => {
    const { days } = input(failuresQuery, context.req.query());
    return context.json(await failuresAnswer(surroundings, days));
  });

  api.all('*', (context) => refuse(context, 404, 'there is nothing at this address'));
  app.route('/api', api);

  app.get('*', (context) => {
    const { path } = context.req;
    const asset = assets.get(path) ?? (/\.\w+$/.test(path) ? undefined : assets.get('/index.html'));
    if (asset === undefined) return refuse(context, 404, 'there is nothing at this address');
    return context.body(asset.body, 200, {
      'Content-Type': asset.type,
      'Cache-Control': asset.immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
    });
  });

  app.onError((error, context) => {
    if (error instanceof Refusal) return refuse(context, error.status, error.message);
    if (error instanceof StoreError) return refuse(context, 503, error.message);
    log.error({ event: 'dashboard.error', err: error, path: context.req.path }, error.message);
    return refuse(context, 500, 'an error of the dashboard’s own; its log says more');
  });
  return app;
}

function refuse(
  context: Context,
  status: 400 | 404 | 405 | 421 | 500 | 503,
  error: string,
): Response {
  const answer: ErrorAnswer = { error };
  for (const [name, value] of Object.entries(HEADERS)) context.header(name, value);
  return context.json(answer, status);
}

function input<T>(schema: z.ZodType<T>, given: unknown): T {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join('.')}: ${message}`,
  );
  throw new Refusal(400, problems.join('; '));
}

function found<T>(answer: T | null, otherwise: string): T {
  if (answer === null) throw new Refusal(404, otherwise);
  return answer;
}

function notHere(attempt: string): string {
  return `the files of attempt ${attempt} do not lie on the dashboard's machine`;
}

async function told(log: Surroundings['log'], error: Error): Promise<void> {
  log.warn({ event: 'dashboard.stream', err: error }, `a stream has ended: ${error.message}`);
  return Promise.resolve();
}
