import type { Command } from 'commander';

import { counted } from '../../infra/values/counted.pure.ts';
import { utcToTheSecond } from '../../infra/values/utc.pure.ts';
import type { GroupedFailures } from '../../retry/attempt-history.port.ts';
import { blameText } from '../../retry/blame.pure.ts';
import { query } from '../framework/answering.ts';
import { table } from '../framework/output.ts';
import { days } from '../framework/spans.ts';

const HOURS_PER_DAY = 24;
const MOST_GROUPS = 50;

/** `bootstrax failures`: failures of the last days, like ones together, and whom they point to. */
export function addFailures(program: Command): void {
  query(program, {
    name: 'failures',
    about: 'failures, like ones together: how often, what, which runs, whom they point to',
    takes: (command) =>
      command.option('--days <number>', 'of this number of days until now', days, 7),
    json: 'one object: {since, groups}',
    read: async ({ store }, options: { days: number }) => {
      const now = await store.serverTime();
      const since = new Date(now.getTime() - options.days * HOURS_PER_DAY * 3_600_000);
      return { since, groups: await store.attempts.failureGroups(since, MOST_GROUPS) };
    },
    draw: ({ groups }, options) =>
      groups.length === 0
        ? `No failure in ${counted(options.days, 'day')}.`
        : failuresTable(groups),
  });
}

/** For people. */
export function failuresTable(groups: readonly GroupedFailures[]): string {
  return table(
    ['times', 'counted', 'last (UTC)', 'what', 'runs', 'points to', 'why'],
    groups.map(({ count, counted: ofThem, last, runs, reason, cause, blame }) => [
      String(count),
      String(ofThem),
      utcToTheSecond(last),
      cause ?? '',
      runs.join(' '),
      blameText(blame),
      reason.split('\n')[0]?.slice(0, 100) ?? '',
    ]),
  );
}
