import { counted } from '../../infra/values/counted.pure.ts';
import { utcToTheSecond } from '../../infra/values/utc.pure.ts';
import { ALARM_WORDS, type StoredAlarm } from './alarm.pure.ts';
import { noticeId, type Notices } from './alarm-notices.pure.ts';

/** One message, as text and as data. */
export interface Message {
  /** Subject of the mail, one line. */
  subject: string;
  text: string;
  alarms: {
    id: string;
    state: 'raised' | 'cleared' | 'test';
    key: string;
    kind: string;
    run: number | null;
    host: string | null;
    what: string;
    todo: string;
    /** ISO 8601, UTC. */
    opened: string;
    over: string | null;
  }[];
}

/** Alarms in one message at most: nobody reads a flood. */
const MOST_LINES = 20;

/** The message about alarms that begin and alarms that end. `link`: address of the dashboard. */
export function messageOf({ raised, cleared }: Notices, link: string | null): Message {
  const lines = [
    ...raised.map((alarm) => `ALARM ${lineOf(alarm)}`),
    ...cleared.map((alarm) => `over  ${lineOf(alarm)}`),
  ];
  return {
    subject: subjectOf(raised, cleared),
    text: textOf(lines, link),
    alarms: [
      ...raised.map((alarm) => dataOf(alarm, 'raised')),
      ...cleared.map((alarm) => dataOf(alarm, 'cleared')),
    ],
  };
}

/** A message that tests a receiver. */
export function testMessage(by: string, host: string, link: string | null, now: Date): Message {
  const what = `This is a test of the alarms, sent by ${by} from ${host}: nothing is wrong.`;
  return {
    subject: 'bootstrax: test of the alarms',
    text: textOf([what], link),
    alarms: [
      {
        ...{ id: `test/${now.getTime()}`, state: 'test', key: 'test', kind: 'test' },
        ...{ run: null, host, what, todo: '', opened: now.toISOString(), over: null },
      },
    ],
  };
}

function subjectOf(raised: readonly StoredAlarm[], cleared: readonly StoredAlarm[]): string {
  const parts = [
    ...(raised.length > 0 ? [counted(raised.length, 'alarm')] : []),
    ...(cleared.length > 0 ? [`${cleared.length} over`] : []),
  ].join(', ');
  const [first] = raised.length > 0 ? raised : cleared;
  return raised.length + cleared.length === 1 && first !== undefined
    ? `bootstrax: ${raised.length === 1 ? 'ALARM' : 'over'}: ${titleOf(first)}`
    : `bootstrax: ${parts}`;
}

function titleOf({ kind, run, host }: StoredAlarm): string {
  const about = run ?? host;
  return about === null ? ALARM_WORDS[kind] : `${ALARM_WORDS[kind]} ${about}`;
}

function lineOf({ what, todo, opened, over }: StoredAlarm): string {
  const when = `since ${utcToTheSecond(opened)}`;
  return over === null
    ? `${what} (${when} UTC)\n      ${todo}`
    : `${what} (${when}, until ${utcToTheSecond(over)} UTC)`;
}

function textOf(lines: readonly string[], link: string | null): string {
  const shown = lines.slice(0, MOST_LINES);
  const rest = lines.length - shown.length;
  return [
    ...shown,
    ...(rest > 0 ? [`and ${rest} more`] : []),
    ...(link === null ? [] : ['', link]),
  ].join('\n');
}

function dataOf(alarm: StoredAlarm, state: 'raised' | 'cleared'): Message['alarms'][number] {
  const { key, kind, run, host, what, todo, opened, over } = alarm;
  return {
    ...{ id: noticeId(alarm, state), state, key, kind, run, host, what, todo },
    opened: opened.toISOString(),
    over: over?.toISOString() ?? null,
  };
}
