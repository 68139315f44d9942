import { createTransport } from 'nodemailer';

import type { Settings } from '../../infra/config/entries.ts';
import type { Receiver } from './alarm.pure.ts';
import type { Message } from './alarm-message.pure.ts';
import type { Destination } from './alarm.port.ts';
import { systemClock } from '../../infra/clock/clock.ts';
import { TOO_LATE, within } from '../../infra/concurrency/deadline.ts';

export type AlarmSettings = Settings['alarms'];

/** A receiver that does not answer for so long has failed, ms. */
const TIMEOUT_MS = 15_000;
/** A mail is a conversation of several answers; together they may take so long, seconds. */
const CONVERSATION_SECONDS = 40;
const MAIL_PORTS: Readonly<Record<string, number>> = { 'smtp:': 25, 'smtps:': 465 };

/** Which receivers of messages the settings name. */
export function receiversOf(settings: AlarmSettings): Receiver[] {
  return [
    ...(settings.webhook === null ? [] : (['webhook'] as const)),
    ...(settings.mailTo.length === 0 ? [] : (['mail'] as const)),
  ];
}

/** All to whom anything is sent; without any, alarms are neither judged nor kept. */
export function destinationsOf(settings: AlarmSettings): Destination[] {
  return [...receiversOf(settings), ...(settings.deadMan === null ? [] : (['dead_man'] as const))];
}

/** Sends one message; throws an error whose text names no address, if it is not taken. */
export async function send(
  receiver: Receiver,
  message: Message,
  settings: AlarmSettings,
): Promise<void> {
  switch (receiver) {
    case 'webhook':
      return post(settings, message);
    case 'mail':
      return mail(settings, message);
  }
}

/**
 * Addresses come from the settings alone, never from a document, and no redirection is followed: what
 * a receiver answers does not decide where something is sent.
 */
async function post({ webhook }: AlarmSettings, { subject, text, alarms }: Message): Promise<void> {
  await ask(webhook, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    // `text` is what chats show.
    body: JSON.stringify({ text: forChats(`${subject}\n${text}`), subject, alarms }),
  });
}

/** Tells the outside receiver that we are alive. */
export async function signOfLife({ deadMan }: AlarmSettings): Promise<void> {
  await ask(deadMan, { method: 'GET' });
}

async function ask(url: string | null, request: RequestInit): Promise<void> {
  if (url === null) throw new Error('no address is set');
  let answer: Response;
  try {
    answer = await fetch(url, {
      ...request,
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (error) {
    throw new Error(whyNot(error), { cause: error });
  }
  await answer.body?.cancel();
  if (!answer.ok) throw new Error(`it answered with ${answer.status}`);
}

/** The address may carry a key, and an error's own text the address. */
function whyNot(error: unknown): string {
  const { name, cause } = error as { name?: string; cause?: { code?: string } };
  if (name === 'TimeoutError') return `no answer within ${TIMEOUT_MS / 1000} s`;
  return `no connection${cause?.code === undefined ? '' : ` (${cause.code})`}`;
}

/** What a document says must not become a mention or a link. */
function forChats(text: string): string {
  return text.replaceAll('<', '‹').replaceAll('>', '›').replaceAll('@', '＠');
}

async function mail(settings: AlarmSettings, message: Message): Promise<void> {
  const { mailServer, mailFrom, mailTo, mailUser, mailPassword } = settings;
  if (mailServer === null || mailFrom === null) throw new Error('no mail server is set');
  const { protocol, hostname, port } = new URL(mailServer);
  const transport = createTransport({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (MAIL_PORTS[protocol] ?? 25) : Number(port),
    secure: protocol === 'smtps:',
    ...(mailUser === null || mailPassword === null
      ? {}
      : { requireTLS: true, auth: { user: mailUser, pass: mailPassword } }),
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    // Nothing but text: no file and no address is read for a mail.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  try {
    const sent = await within(
      systemClock,
      CONVERSATION_SECONDS,
      transport.sendMail({
        from: mailFrom,
        to: mailTo,
        subject: message.subject,
        text: message.text,
        headers: { 'Auto-Submitted': 'auto-generated' },
      }),
    );
    if (sent === TOO_LATE) throw new Error(`no end within ${CONVERSATION_SECONDS} s`);
  } finally {
    transport.close();
  }
}
