import { handover } from '../../readmodel/handover.ts';
import type { DashboardApp } from '../access/principal.ts';
import { failuresAnswer, hostHistory } from '../answers.ts';
import { failuresQuery, handoverQuery, historyQuery, hostInput } from '../inputs.ts';
import { route } from '../route.ts';
import { eventStream, tellPanels } from '../streams.ts';
import type { Surroundings } from '../surroundings.ts';

/** What is not about one run. */
export function addFleetRoutes(app: DashboardApp, surroundings: Surroundings): void {
  const { store, settings } = surroundings;

  route(
    app,
    {
      method: 'get',
      path: '/api/stream',
      about: 'The panels, each when it has changed, and how old they are.',
      answers: 'text/event-stream',
    },
    (context) =>
      eventStream(context, surroundings, (stream, last) => tellPanels(surroundings, stream, last)),
  );

  route(
    app,
    {
      method: 'get',
      path: '/api/hosts/:host/history',
      about: 'Curves of a host from its heartbeats.',
      params: hostInput,
      query: historyQuery,
    },
    async (context, { params: { host }, query: { hours } }) =>
      context.json(await hostHistory(surroundings, host, hours)),
  );

  route(
    app,
    {
      method: 'get',
      path: '/api/failures',
      about: 'Counted failures of the last days, by fingerprint.',
      query: failuresQuery,
    },
    async (context, { query: { days } }) => context.json(await failuresAnswer(surroundings, days)),
  );

  route(
    app,
    {
      method: 'get',
      path: '/api/handover',
      about: 'What happened in the last hours, as text for a log book.',
      query: handoverQuery,
    },
    async (context, { query: { hours } }) =>
      context.json(await handover(store, settings.rules, hours)),
  );
}
