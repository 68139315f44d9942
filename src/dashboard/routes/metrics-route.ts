import { EXPOSITION_TYPE } from '../../infra/metrics/exposition.pure.ts';
import type { DashboardApp } from '../access/principal.ts';
import { route } from '../route.ts';
import type { Surroundings } from '../surroundings.ts';

/** Figures for a monitoring system, and whether the server is well. */
export function addMetricsRoutes(app: DashboardApp, { metrics }: Surroundings): void {
  route(
    app,
    {
      method: 'get',
      path: '/metrics',
      about: 'Figures of the fleet for Prometheus',
      answers: 'text/plain',
    },
    async (context) =>
      context.body(await metrics.text(), 200, {
        'Content-Type': EXPOSITION_TYPE,
        'Cache-Control': 'no-store',
      }),
  );

  route(
    app,
    { method: 'get', path: '/healthz', about: 'Whether the databases answer: 200, or 503' },
    async (context) => {
      const well = await metrics.isWell();
      context.header('Cache-Control', 'no-store');
      return context.json({ status: well ? 'ok' : 'database away' }, well ? 200 : 503);
    },
  );
}
