import { createTransport } from 'nodemailer';

import { systemClock } from '../../infra/clock/clock.ts';
import { TOO_LATE, within } from '../../infra/concurrency/deadline.ts';
import type { Settings } from '../../infra/config/entries.ts';
import type { Destination } from './alarm.port.ts';
import type { Receiver } from './alarm.pure.ts';
import type { Message } from './alarm-message.pure.ts';

export type AlarmSettings = Settings['alarms'];

/** A receiver that does not answer within this time has failed. */
const TIMEOUT_MS = 15_000;
/** All answers of a mail server together may take this time. */
const CONVERSATION_SECONDS = 40;
const MAIL_PORTS: Readonly<Record<string, number>> = { 'smtp:': 25, 'smtps:': 465 };

/** The receivers of messages in the settings. */
export function receiversOf(settings: AlarmSettings): Receiver[] {
  return [
    ...(settings.webhook === null ? [] : (['webhook'] as const)),
    ...(settings.mailTo.length === 0 ? [] : (['mail'] as const)),
  ];
}

/** All destinations in the settings; without any, alarms are neither judged nor stored. */
export function destinationsOf(settings: AlarmSettings): Destination[] {
  return [...receiversOf(settings), ...(settings.deadMan === null ? [] : (['dead_man'] as const))];
}

/** Sends one message. Throws if it is not accepted, with a text that contains no address. */
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
 * Addresses come from the settings alone, never from a document, and no redirection is followed: the
 * answer of a receiver does not decide where something is sent.
 */
async function post({ webhook }: AlarmSettings, { subject, text, alarms }: Message): Promise<void> {
  await ask(webhook, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    // `text` is what chats show.
    body: JSON.stringify({ text: forChats(`${subject}\n${text}`), subject, alarms }),
  });
}

/** Sends the dead-man signal: the outside receiver learns that this process lives. */
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
  if (!answer.ok) throw new Error(`the receiver answered with status ${answer.status}`);
}

/** Describes an error without its own text, which may contain the address and a key. */
function whyNot(error: unknown): string {
  const { name, cause } = error as { name?: string; cause?: { code?: string } };
  if (name === 'TimeoutError') return `no answer within ${TIMEOUT_MS / 1000} s`;
  return `no connection${cause?.code === undefined ? '' : ` (${cause.code})`}`;
}

/** Masks characters, so that a text from a document becomes no mention and no link. */
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
    // Text alone: the mail library must read no file and no address.
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
