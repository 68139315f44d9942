import type { OverviewFilter } from '../../readmodel/overview.port.ts';
import type { DashboardApp } from '../access/principal.ts';
import { runsAnswer } from '../answers.ts';
import { runNumberInput, runsQuery } from '../inputs.ts';
import { found } from '../request-refusal.ts';
import { route } from '../route.ts';
import { documentText, runAnswer } from '../run-answer.ts';
import type { Surroundings } from '../surroundings.ts';

/** The list of runs, and all about one of them. */
export function addRunRoutes(app: DashboardApp, surroundings: Surroundings): void {
  route(
    app,
    { method: 'get', path: '/api/runs', about: 'One page of runs.', query: runsQuery },
    async (context, { query }) => {
      // Absent is not the same as undefined.
      const given = Object.fromEntries(
        Object.entries(query).filter(([, value]) => value !== undefined),
      ) as OverviewFilter & { from?: number; to?: number; before?: number; limit?: number };
      return context.json(await runsAnswer(surroundings, given));
    },
  );

  route(
    app,
    { method: 'get', path: '/api/runs/:run', about: 'All about a run.', params: runNumberInput },
    async (context, { params: { run } }) =>
      context.json(found(await runAnswer(surroundings, run), `there is no run ${run}`)),
  );

  route(
    app,
    {
      method: 'get',
      path: '/api/runs/:run/document',
      about: 'The document of a run as it is stored, without passwords.',
      params: runNumberInput,
    },
    async (context, { params: { run } }) => {
      const text = found(await documentText(surroundings, run), `there is no run ${run}`);
      return context.json({ text });
    },
  );
}
