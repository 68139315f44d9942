import { versionOfThis } from '../../infra/config/version.ts';
import type { DashboardApp } from '../access/principal.ts';
import { openApi } from '../openapi.ts';
import { route, routesOf } from '../route.ts';

/** The API's description of itself. */
export function addSchemaRoute(app: DashboardApp): void {
  route(
    app,
    { method: 'get', path: '/api/schema', about: 'This description: OpenAPI 3.1.' },
    (context) => context.json(openApi(routesOf(app), versionOfThis())),
  );
}
