import { z } from 'zod';

import type { DashboardApp } from '../access/principal.ts';
import { runNumberInput } from '../inputs.ts';
import { runReport } from '../report-answer.ts';
import { found } from '../request-refusal.ts';
import { route } from '../route.ts';
import type { Surroundings } from '../surroundings.ts';

/** A bug report as a file. */
export function addReportRoutes(app: DashboardApp, surroundings: Surroundings): void {
  route(
    app,
    {
      method: 'get',
      path: '/api/report',
      about: 'Everything a maintainer asks for about a run, without secrets, as a file.',
      query: z.strictObject({ run: runNumberInput.shape.run }),
    },
    async (context, { query: { run } }) => {
      const report = found(await runReport(surroundings, run), `there is no run ${run}`);
      context.header(
        'Content-Disposition',
        `attachment; filename="bootstrax-report-run-${run}.json"`,
      );
      return context.json(report);
    },
  );
}
