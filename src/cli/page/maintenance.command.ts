import type { Command } from 'commander';
import { userInfo } from 'node:os';
import type { Maintenance } from '../../features/alarms/alarm.pure.ts';
import { utcToTheSecond } from '../../infra/values/utc.pure.ts';
import { withDatabase } from '../framework/with-database.ts';
import { CommandFailure } from '../framework/command-failure.ts';
import { print, printJson, table } from '../framework/output.ts';
import { hoursUpTo } from '../framework/spans.ts';

const MOST_HOURS = 14 * 24;
const LISTED_DAYS = 7;

interface Shared {
  json?: boolean;
}

/** `bootstrax maintenance start|end|list`: times in which no alarm is told. */
export function addMaintenance(program: Command): void {
  const maintenance = program
    .command('maintenance')
    .description('times in which no alarm is told; afterwards what is still wrong is');
  maintenance
    .command('start')
    .description('tell nobody from now on, for so many hours')
    .requiredOption('--hours <number>', 'how long, at most 14 days', hoursUpTo(MOST_HOURS))
    .requiredOption('--reason <text>', 'for those who look at the alarms')
    .option('--only <host>', 'only what is about this host, by its full name')
    .option('--json', 'one object: {id, until}')
    .action(
      async (
        options: Shared & { hours: number; reason: string; only?: string },
        command: Command,
      ) => {
        const { id, until } = await withDatabase(command, async ({ store }) => {
          const window = { host: options.only ?? null, seconds: options.hours * 3600 };
          const by = userInfo().username;
          const id = await store.maintenance.start({ ...window, by, reason: options.reason });
          const now = await store.serverTime();
          const begun = (await store.maintenance.endingAfter(now)).find((each) => each.id === id);
          return { id, until: begun?.until ?? now };
        });
        if (options.json) printJson({ id, until });
        else {
          const about = options.only === undefined ? '' : ` about ${options.only}`;
          print(
            `No alarm${about} is told until ${utcToTheSecond(until)} UTC (bootstrax maintenance end ${id})`,
          );
        }
      },
    )
    .exitOverride();
  maintenance
    .command('end')
    .description('tell alarms again')
    .argument('[id]', 'only this one; otherwise all')
    .option('--json', 'one object: {ended}')
    .action(async (id: string | undefined, options: Shared, command: Command) => {
      const ended = await withDatabase(command, async ({ store }) => {
        const now = await store.serverTime();
        const windows = await store.maintenance.endingAfter(now);
        const ids = windows.flatMap((each) =>
          id === undefined || each.id === id ? [each.id] : [],
        );
        const by = userInfo().username;
        for (const each of ids) await store.maintenance.end(each, by, now);
        return ids;
      });
      if (ended.length === 0) {
        throw new CommandFailure(1, 'there is no such maintenance: bootstrax maintenance list');
      }
      if (options.json) printJson({ ended });
      else print('Alarms are told again.');
    })
    .exitOverride();
  maintenance
    .command('list')
    .description('those of the last seven days')
    .option('--json', 'one object: {maintenance}')
    .action(async ({ json }: Shared, command: Command) => {
      const { windows, now } = await withDatabase(command, async ({ store }) => {
        const now = await store.serverTime();
        const since = new Date(now.getTime() - LISTED_DAYS * 86_400_000);
        return { windows: await store.maintenance.endingAfter(since), now };
      });
      if (json) printJson({ maintenance: windows });
      else
        print(windows.length === 0 ? 'No maintenance in the last seven days.' : draw(windows, now));
    })
    .exitOverride();
}

function draw(windows: readonly Maintenance[], now: Date): string {
  return table(
    ['id', 'of', 'from (UTC)', 'until (UTC)', 'by', 'reason'],
    windows.map(({ id, host, from, until, by, reason }) => [
      id,
      host ?? 'everything',
      utcToTheSecond(from),
      `${utcToTheSecond(until)}${until > now ? ', goes on' : ''}`,
      by,
      reason,
    ]),
  );
}
