import { useEffect, useReducer } from 'preact/hooks';

import type { LoginBody, SessionAnswer } from '../../src/dashboard/access/session-api.ts';
import type { ErrorAnswer } from '../../src/readmodel/api.ts';

const NOBODY: SessionAnswer = { name: null, role: null, via: null, csrf: null };

let session: SessionAnswer | null = null;
const listeners = new Set<() => void>();

function set(next: SessionAnswer): void {
  session = next;
  for (const listener of listeners) listener();
}

/** Who is logged in; null until it is known. */
export function currentSession(): SessionAnswer | null {
  return session;
}

/** Who is logged in; draws again when that changes. */
export function useSession(): SessionAnswer | null {
  const [, draw] = useReducer<number, void>((count) => count + 1, 0);
  useEffect(() => onSession(() => draw()), []);
  return session;
}

/** Whether the person may act. */
export function useMayAct(): boolean {
  return useSession()?.role === 'operator';
}

/** Calls back after each login and logout. */
export function onSession(listener: () => void): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

/** Reads from the server who is logged in; without an answer nothing changes. */
export async function readSession(): Promise<void> {
  try {
    const answer = await fetch('/api/session');
    if (answer.ok) set((await answer.json()) as SessionAnswer);
    else if (answer.status === 401) set(NOBODY);
  } catch {
    // The server does not answer; the stream notices when it does again.
  }
}

/** Called on an answer of 401: the session has ended. */
export function sessionHasEnded(): void {
  if (session?.role !== null) set(NOBODY);
}

/** The API refused, or could not be reached; the message is for people. */
export class Refused extends Error {}

/** Sends a request that changes something. */
export async function send<T>(
  method: 'POST' | 'DELETE',
  path: string,
  body: unknown = null,
): Promise<T> {
  let answer = await sendOnce(method, path, body);
  if (answer.status === 403) {
    // A page that has been open for days has the token of a server that was restarted since.
    const before = session?.csrf;
    await readSession();
    if (session?.csrf != null && session.csrf !== before) {
      answer = await sendOnce(method, path, body);
    }
  }
  if (answer.ok) return (await answer.json()) as T;
  if (answer.status === 401 && path !== '/api/session') sessionHasEnded();
  const { error } = (await answer.json().catch(() => ({
    error: `the server answered ${answer.status}`,
  }))) as ErrorAnswer;
  throw new Refused(error);
}

async function sendOnce(method: string, path: string, body: unknown): Promise<Response> {
  try {
    return await fetch(path, {
      method,
      headers: {
        'x-bootstrax-csrf': session?.csrf ?? '',
        ...(body === null ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === null ? {} : { body: JSON.stringify(body) }),
    });
  } catch {
    throw new Refused(
      'The dashboard’s server does not answer. Read the list of actions before you try again: this one may have arrived.',
    );
  }
}

export async function logIn(body: LoginBody): Promise<void> {
  set(await send<SessionAnswer>('POST', '/api/session', body));
}

export async function logOut(): Promise<void> {
  set(await send<SessionAnswer>('DELETE', '/api/session'));
}
