import { fork } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Logger } from 'pino';

import type { Settings } from '../../infra/config/entries.ts';
import { keepHeapSmall } from '../framework/heap.ts';
import { makeLogger } from '../framework/log-lines.ts';

const COMMAND = 'dashboard-beside';
/** Far beyond its needs: what needs more has a leak, and is ended by itself. MB. */
const LARGEST_HEAP = 384;
/** Between two starts; doubles as long as it is not served. */
const PAUSE_MS = { first: 1000, longest: 60_000 };

/** What the manager's process sends. */
interface Order {
  settings: Settings;
  logLevel: string;
}

/** What the dashboard's process answers. */
type Report = { url: string } | { problem: string };

/**
 * Serves the dashboard beside a manager until this process ends, in a process of its own: an error,
 * a leak, a slow client or a taken port there does not reach the manager.
 */
export async function dashboardBeside(settings: Settings, logger: Logger): Promise<never> {
  let pauseMs = PAUSE_MS.first;
  let logged: string | null = null;
  for (;;) {
    const { problem, served } = await serveOnce(settings, logger).catch((error: unknown) => ({
      problem: String(error),
      served: false,
    }));
    if (served) pauseMs = PAUSE_MS.first;
    if (served || problem !== logged) {
      const what = served ? 'the dashboard has ended and is started again' : 'without a dashboard';
      logger.warn({ event: 'dashboard.not_served' }, `${what}: ${problem}`);
    }
    logged = problem;
    await delay(pauseMs);
    pauseMs = Math.min(pauseMs * 2, PAUSE_MS.longest);
  }
}

/** Answers when that process has ended. */
function serveOnce(
  settings: Settings,
  logger: Logger,
): Promise<{ problem: string; served: boolean }> {
  return new Promise((resolve) => {
    const child = fork(process.argv[1]!, [COMMAND], {
      execArgv: [`--max-old-space-size=${LARGEST_HEAP}`],
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    let problem: string | null = null;
    let served = false;
    child.on('message', (report: Report) => {
      if ('problem' in report) {
        problem = report.problem;
        return;
      }
      served = true;
      const { url } = report;
      logger.info({ event: 'dashboard.ready', url, pid: child.pid }, `the dashboard is at ${url}`);
    });
    child.once('error', (error) => resolve({ problem: error.message, served }));
    child.once('exit', (code, signal) =>
      resolve({ problem: problem ?? `its process ended with ${signal ?? code}`, served }),
    );
    // A process that has ended already takes no order; its end is logged above.
    child.send({ settings, logLevel: logger.level } satisfies Order, () => undefined);
  });
}

/** The other end: not for people. */
export function addDashboardBeside(program: Command): void {
  program.command(COMMAND, { hidden: true }).action(async () => {
    keepHeapSmall();
    // With the manager it was started for it ends, however that came to its end.
    process.once('disconnect', () => process.exit(0));
    const { settings, logLevel } = await new Promise<Order>((resolve) =>
      process.once('message', (order) => resolve(order as Order)),
    );
    const logger = makeLogger(false);
    logger.level = logLevel;
    const { serveDashboard } = await import('../../dashboard/serve.ts');
    try {
      const { url, failure } = await serveDashboard(settings, settings.dashboard, logger);
      process.send?.({ url } satisfies Report);
      await failure;
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      process.send?.({ problem } satisfies Report, () => process.exit(1));
    }
  });
}
