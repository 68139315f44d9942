import { userInfo } from 'node:os';
import type { Command } from 'commander';

import type { Maintenance } from '../../features/alarms/alarm.pure.ts';
import { utcToTheSecond } from '../../infra/values/utc.pure.ts';
import type { Store } from '../../ports/store.ts';
import { query } from '../framework/answering.ts';
import { CommandFailure } from '../framework/command-failure.ts';
import { table } from '../framework/output.ts';
import { hoursUpTo } from '../framework/spans.ts';
import type { Database } from '../framework/with-database.ts';

const MOST_HOURS = 14 * 24;
const LISTED_DAYS = 7;

interface StartOptions {
  hours: number;
  reason: string;
  only?: string;
}

/** `bootstrax maintenance start|end|list`: times in which no alarm is sent. */
export function addMaintenance(program: Command): void {
  const maintenance = program
    .command('maintenance')
    .description('times in which no alarm is sent; what is still wrong afterwards is sent then');
  query(maintenance, {
    name: 'start',
    about: 'send no alarm from now on, for this number of hours',
    takes: (command) =>
      command
        .requiredOption('--hours <number>', 'how long, at most 14 days', hoursUpTo(MOST_HOURS))
        .requiredOption('--reason <text>', 'shown to those who watch the alarms')
        .option('--only <host>', 'only alarms about this host, by its full name'),
    json: 'one object: {id, until}',
    read: start,
    draw: ({ id, until }, { only }) =>
      `No alarm${only === undefined ? '' : ` about ${only}`} is sent until ${utcToTheSecond(until)} UTC (bootstrax maintenance end ${id})`,
  });
  query(maintenance, {
    name: 'end',
    about: 'send alarms again',
    takes: (command) => command.argument('[id]', 'only this one; otherwise all'),
    json: 'one object: {ended}',
    read: async ({ store }, _options, id: string | undefined) => ({ ended: await end(store, id) }),
    draw: () => 'Alarms are sent again.',
  });
  query(maintenance, {
    name: 'list',
    about: 'those of the last seven days',
    json: 'one object: {maintenance}',
    read: async ({ store }) => {
      const now = await store.serverTime();
      const since = new Date(now.getTime() - LISTED_DAYS * 86_400_000);
      return { windows: await store.maintenance.endingAfter(since), now };
    },
    shape: ({ windows }) => ({ maintenance: windows }),
    draw: ({ windows, now }) =>
      windows.length === 0 ? 'No maintenance in the last seven days.' : draw(windows, now),
  });
}

async function start({ store }: Database, { hours, reason, only }: StartOptions) {
  const by = userInfo().username;
  const id = await store.maintenance.start({
    ...{ host: only ?? null, seconds: hours * 3600, by, reason },
  });
  const now = await store.serverTime();
  const begun = (await store.maintenance.endingAfter(now)).find((each) => each.id === id);
  return { id, until: begun?.until ?? now };
}

async function end(store: Store, id: string | undefined): Promise<string[]> {
  const now = await store.serverTime();
  const windows = await store.maintenance.endingAfter(now);
  const ids = windows.flatMap((each) => (id === undefined || each.id === id ? [each.id] : []));
  if (ids.length === 0) {
    throw new CommandFailure(1, 'there is no such maintenance: bootstrax maintenance list');
  }
  const by = userInfo().username;
  for (const each of ids) await store.maintenance.end(each, by, now);
  return ids;
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
