import { useEffect, useReducer } from 'preact/hooks';
import type { ErrorAnswer } from '../../src/readmodel/api.ts';
import type { LoginBody, SessionAnswer } from '../../src/dashboard/access/session-api.ts';

const NOBODY: SessionAnswer = { name: null, role: null, via: null, csrf: null };

let session: SessionAnswer | null = null;
const listeners = new Set<() => void>();

function set(next: SessionAnswer): void {
  session = next;
  for (const listener of listeners) listener();
}

/** Who looks; null until it is known. */
export function currentSession(): SessionAnswer | null {
  return session;
}

/** Who looks, drawn again when that changes. */
export function useSession(): SessionAnswer | null {
  const [, draw] = useReducer<number, void>((count) => count + 1, 0);
  useEffect(() => onSession(() => draw()), []);
  return session;
}

/** May the person do something, or only look? */
export function useMayAct(): boolean {
  return useSession()?.role === 'operator';
}

/** Calls back after each change of who looks. */
export function onSession(listener: () => void): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

/** Asks the server who we are; without an answer nothing changes. */
export async function readSession(): Promise<void> {
  try {
    const answer = await fetch('/api/session');
    if (answer.ok) set((await answer.json()) as SessionAnswer);
    else if (answer.status === 401) set(NOBODY);
  } catch {
    // The server is away; the stream tells when it is back.
  }
}

/** An answer of 401 was seen: the session is over. */
export function sessionIsOver(): void {
  if (session?.role !== null) set(NOBODY);
}

/** The API refused, or could not be asked; the message is for people. */
export class Refused extends Error {}

/** Sends something that is not only a question. */
export async function send<T>(
  method: 'POST' | 'DELETE',
  path: string,
  body: unknown = null,
): Promise<T> {
  let answer = await sendOnce(method, path, body);
  if (answer.status === 403) {
    // A page that is open for long has the token of a server that has been started anew since.
    const before = session?.csrf;
    await readSession();
    if (session?.csrf != null && session.csrf !== before) {
      answer = await sendOnce(method, path, body);
    }
  }
  if (answer.ok) return (await answer.json()) as T;
  if (answer.status === 401 && path !== '/api/session') sessionIsOver();
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
      'The dashboard’s server does not answer: look at the list of actions before you try again.',
    );
  }
}

export async function logIn(body: LoginBody): Promise<void> {
  set(await send<SessionAnswer>('POST', '/api/session', body));
}

export async function logOut(): Promise<void> {
  set(await send<SessionAnswer>('DELETE', '/api/session'));
}
