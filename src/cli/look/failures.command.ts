import type { Command } from 'commander';
import { blameText } from '../../retry/blame.pure.ts';
import { utcToTheSecond } from '../../infra/values/utc.pure.ts';
import type { GroupedFailures } from '../../retry/attempt-history.port.ts';
import { withDatabase } from '../framework/with-database.ts';
import { print, printJson, table } from '../framework/output.ts';
import { days } from '../framework/spans.ts';

const HOURS_PER_DAY = 24;
const MOST_GROUPS = 50;

/** `bootstrax failures`: failures of the last days, like ones together, and whom they point to. */
export function addFailures(program: Command): void {
  program
    .command('failures')
    .description('failures, like ones together: how often, what, which runs, whom they point to')
    .option('--days <number>', 'of so many days', days, 7)
    .option('--json', 'one object: {since, groups}')
    .action(async (options: { days: number; json?: boolean }, command: Command) => {
      const { since, groups } = await withDatabase(command, async ({ store }) => {
        const now = await store.serverTime();
        const from = new Date(now.getTime() - options.days * HOURS_PER_DAY * 3_600_000);
        return { since: from, groups: await store.attempts.failureGroups(from, MOST_GROUPS) };
      });
      if (options.json) {
        printJson({ since, groups });
        return;
      }
      if (groups.length === 0) {
        print(`No failure in ${options.days} days.`);
        return;
      }
      print(failuresTable(groups));
    });
}

/** For people. */
export function failuresTable(groups: readonly GroupedFailures[]): string {
  return table(
    ['times', 'counted', 'last (UTC)', 'what', 'runs', 'points to', 'why'],
    groups.map(({ count, counted, last, runs, reason, cause, blame }) => [
      String(count),
      String(counted),
      utcToTheSecond(last),
      cause ?? '',
      runs.join(' '),
      blameText(blame),
      reason.split('\n')[0]?.slice(0, 100) ?? '',
    ]),
  );
}
