import { type Context, Hono } from 'hono';

import { StoreError } from '../infra/mongo/store-error.ts';
import type { ErrorAnswer } from '../readmodel/api.ts';
import { access } from './access/access.ts';
import type { Identities } from './access/identity.ts';
import type { DashboardApp, DashboardEnv } from './access/principal.ts';
import type { Asset } from './assets.ts';
import { securityHeaders } from './headers.ts';
import { Refusal } from './request-refusal.ts';
import { routesOf } from './route.ts';
import { addActionRoutes } from './routes/action-routes.ts';
import { addAttemptRoutes } from './routes/attempt-routes.ts';
import { addFleetRoutes } from './routes/fleet-routes.ts';
import { addMetricsRoutes } from './routes/metrics-route.ts';
import { addReportRoutes } from './routes/report-route.ts';
import { addRunRoutes } from './routes/run-routes.ts';
import { addSchemaRoute } from './routes/schema-route.ts';
import { addSessionRoutes } from './routes/session-routes.ts';
import type { Surroundings } from './surroundings.ts';

/** The dashboard as one function from requests to answers. */
export function createApp(
  surroundings: Surroundings,
  assets: ReadonlyMap<string, Asset>,
  identities: Identities,
  isOwnName: (hostHeader: string) => boolean,
): DashboardApp {
  const { feeder, log } = surroundings;
  const app: DashboardApp = new Hono<DashboardEnv>();

  app.use(securityHeaders);
  app.use(async (context, next) => {
    // A page of somebody else's, whose name was made to point here, must not read along.
    if (!isOwnName(context.req.header('host') ?? '')) {
      return refuse(
        context,
        421,
        'this server is not known by that name; if it is one of its own, it goes into the setting dashboard.host_names',
      );
    }
    await next();
  });
  app.use(access(identities, isOwnName));
  app.use('/api/*', async (context, next) => {
    context.header('Cache-Control', 'no-store');
    if (context.var.principal !== undefined) feeder.want();
    await next();
  });

  addSessionRoutes(app, surroundings, identities);
  addFleetRoutes(app, surroundings);
  addRunRoutes(app, surroundings);
  addReportRoutes(app, surroundings);
  addActionRoutes(app, surroundings);
  addAttemptRoutes(app, surroundings);
  addSchemaRoute(app);
  addMetricsRoutes(app, surroundings);

  for (const path of new Set(routesOf(app).map((each) => each.path))) {
    const methods = routesOf(app)
      .filter((each) => each.path === path)
      .map(({ method }) => method.toUpperCase());
    app.all(path, (context) => {
      context.header('Allow', methods.join(', '));
      return refuse(context, 405, `only ${methods.join(' and ')} is understood here`);
    });
  }
  app.all('/api/*', (context) => refuse(context, 404, 'there is nothing at this address'));

  app.get('*', (context) => {
    const { path } = context.req;
    const asset = assets.get(path) ?? (/\.\w+$/.test(path) ? undefined : assets.get('/index.html'));
    if (asset === undefined) return refuse(context, 404, 'there is nothing at this address');
    return context.body(asset.body, 200, {
      'Content-Type': asset.type,
      'Cache-Control': asset.immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
    });
  });
  app.all('*', (context) => refuse(context, 405, 'only GET is understood here'));

  app.onError((error, context) => {
    if (error instanceof Refusal) {
      for (const [name, value] of Object.entries(error.headers)) context.header(name, value);
      return refuse(context, error.status, error.message);
    }
    if (error instanceof StoreError) return refuse(context, 503, error.message);
    log.error({ event: 'dashboard.error', err: error, path: context.req.path }, error.message);
    return refuse(context, 500, 'an error of the dashboard’s own; its log says more');
  });
  return app;
}

function refuse(
  context: Context<DashboardEnv>,
  status: Refusal['status'] | 405 | 421 | 500 | 503,
  error: string,
): Response {
  const answer: ErrorAnswer = { error };
  return context.json(answer, status);
}
