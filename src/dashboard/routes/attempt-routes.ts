import type { DashboardApp } from '../access/principal.ts';
import { logFile, progressAnswer } from '../answers.ts';
import { attemptInput, logQuery } from '../inputs.ts';
import { picturesAnswer } from '../pictures-answer.ts';
import { found } from '../request-refusal.ts';
import { route } from '../route.ts';
import { eventStream, tellLog } from '../streams.ts';
import type { Surroundings } from '../surroundings.ts';

/** What lies in the folders of attempts on the dashboard's own machine. */
export function addAttemptRoutes(app: DashboardApp, surroundings: Surroundings): void {
  route(
    app,
    {
      method: 'get',
      path: '/api/attempts/:attempt/progress',
      about: 'Progress, memory and rate of an attempt.',
      params: attemptInput,
    },
    async (context, { params: { attempt } }) =>
      context.json(found(await progressAnswer(surroundings, attempt), notHere(attempt))),
  );

  route(
    app,
    {
      method: 'get',
      path: '/api/attempts/:attempt/pictures',
      about: 'Pictures of the data of an attempt, and rows and bytes of each stored type.',
      params: attemptInput,
    },
    async (context, { params: { attempt } }) => {
      const answer = await picturesAnswer(surroundings, attempt);
      return context.json(found(answer, `attempt ${attempt} has no pictures within reach`));
    },
  );

  route(
    app,
    {
      method: 'get',
      path: '/api/attempts/:attempt/log',
      about: 'The end of the log of an attempt, and what is added to it.',
      params: attemptInput,
      query: logQuery,
      answers: 'text/event-stream',
    },
    async (context, { params: { attempt }, query: { lines } }) => {
      const file = found(await logFile(surroundings, attempt), notHere(attempt));
      return eventStream(context, surroundings, (stream, last) =>
        tellLog({ ...file, tasks: surroundings.tasks }, stream, lines, last),
      );
    },
  );
}

function notHere(attempt: string): string {
  return `the files of attempt ${attempt} are out of the dashboard’s reach`;
}
