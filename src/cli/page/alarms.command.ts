import { userInfo } from 'node:os';
import type { Command } from 'commander';

import { ALARM_WORDS, type Receiver } from '../../features/alarms/alarm.pure.ts';
import type { AlarmsPanel, AlarmView } from '../../readmodel/api.ts';
import { localQuery, query } from '../framework/answering.ts';
import { CommandFailure } from '../framework/command-failure.ts';
import { table } from '../framework/output.ts';
import { settingsOf } from '../framework/setting-flags.ts';

type Destination = AlarmsPanel['receivers'][number]['destination'];

const DESTINATION_WORDS = {
  webhook: 'webhook',
  mail: 'mail',
  dead_man: 'dead-man signal',
} as const;

/** `bootstrax alarms`: what is wrong, and who has been notified; `alarms test`. */
export function addAlarms(program: Command): void {
  const alarms = query(program, {
    name: 'alarms',
    about: 'alarms that are open or were yesterday, who was notified, and who cannot be',
    json: 'one object: {open, recent, receivers, maintenance}',
    read: async ({ store, settings }) => {
      const { destinationsOf } = await import('../../features/alarms/alarm-sender.ts');
      const { readAlarms } = await import('../../features/alarms/alarm-panel.ts');
      return readAlarms(store, destinationsOf(settings.alarms), await store.serverTime());
    },
    draw,
  });
  localQuery(alarms, {
    name: 'test',
    about: 'send a test to every receiver that the settings name; exit code 1 if one fails',
    json: 'one object: {sent: [{destination, problem}]}',
    read: async (command) => ({ sent: await sendTests(command) }),
    draw: ({ sent }) => sent.map(testLine).join('\n'),
    isProblem: ({ sent }) => sent.some(({ problem }) => problem !== null),
  });
}

async function sendTests(
  command: Command,
): Promise<{ destination: Destination; problem: string | null }[]> {
  const { settings } = await settingsOf(command);
  const { destinationsOf, send, signOfLife } =
    await import('../../features/alarms/alarm-sender.ts');
  const { testMessage } = await import('../../features/alarms/alarm-message.pure.ts');
  const destinations = destinationsOf(settings.alarms);
  if (destinations.length === 0) {
    throw new CommandFailure(
      2,
      'the settings name no receiver: alarms.webhook, alarms.mail_to or alarms.dead_man in the configuration file (docs/alarms.md)',
    );
  }
  const { username } = userInfo();
  const message = testMessage(username, settings.host.name, settings.alarms.link, new Date());
  return Promise.all(
    destinations.map(async (destination) => {
      const work =
        destination === 'dead_man'
          ? signOfLife(settings.alarms)
          : send(destination satisfies Receiver, message, settings.alarms);
      const problem = await work.then(
        () => null,
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      );
      return { destination, problem };
    }),
  );
}

function testLine({ destination, problem }: { destination: Destination; problem: string | null }) {
  const name = DESTINATION_WORDS[destination];
  return problem === null ? `${name}: sent` : `${name}: FAILED: ${problem}`;
}

function draw({ open, recent, receivers, maintenance }: AlarmsPanel): string {
  return [
    open.length === 0 ? 'No alarm is open.' : rows(open),
    ...(recent.length === 0 ? [] : ['', 'Over since yesterday:', rows(recent)]),
    ...(maintenance.length === 0 ? [] : ['', ...maintenance.map(windowLine)]),
    '',
    ...(receivers.length === 0
      ? ['The settings name no receiver: no alarm is sent (docs/alarms.md).']
      : receivers.map(receiverLine)),
  ].join('\n');
}

function rows(alarms: readonly AlarmView[]): string {
  return table(
    ['alarm', 'since (UTC)', 'until (UTC)', 'notified', 'what'],
    alarms.map(({ kind, opened, over, told, what }) => [
      ALARM_WORDS[kind],
      seconds(opened),
      over === null ? '' : seconds(over),
      told.map(({ receiver }) => receiver).join(', ') || 'nobody',
      what,
    ]),
  );
}

function windowLine({ id, host, until, by, reason }: AlarmsPanel['maintenance'][number]): string {
  const of = host === null ? 'Maintenance' : `Maintenance of ${host}`;
  return `${of} until ${seconds(until)} UTC, by ${by}: ${reason} (bootstrax maintenance end ${id})`;
}

function receiverLine(receiver: AlarmsPanel['receivers'][number]): string {
  const { destination, sent, problem, failingSince, next } = receiver;
  const name = DESTINATION_WORDS[destination];
  const last = sent === null ? 'nothing sent so far' : `last sent ${seconds(sent)} UTC`;
  if (problem === null || failingSince === null) return `${name}: ${last}`;
  const again = next === null ? '' : `, tried again at ${seconds(next)} UTC`;
  return `${name}: FAILING since ${seconds(failingSince)} UTC: ${problem}${again}; ${last}`;
}

function seconds(iso: string): string {
  return iso.slice(0, 19).replace('T', ' ');
}
