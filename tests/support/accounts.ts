import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import type { Role, SessionAnswer } from '../../src/dashboard/access/session-api.ts';
import type { DashboardProcess } from './dashboard.ts';
import { type Lab, PACKAGE, PYTHON } from './lab.ts';

const USER = [process.execPath, join(PACKAGE, 'bin/bootstrax'), 'user'] as const;

/** Runs `bootstrax user` with this text on its standard input. */
export function userCommand(lab: Lab, args: string[], typed: string): Promise<Ended> {
  const [program, ...rest] = USER;
  return ended(spawn(program, [...rest, ...args], { env: lab.env() }), typed);
}

/** The same on a terminal, where these lines are typed; the output is all that it shows. */
export function userCommandTyped(lab: Lab, args: string[], lines: string[]): Promise<Ended> {
  const typist = join(PACKAGE, 'tests/support/type_unseen.py');
  const command = [typist, lines.join('|'), ...USER, ...args];
  return ended(spawn(PYTHON, command, { env: lab.env() }), '');
}

interface Ended {
  code: number | null;
  output: string;
}

async function ended(child: ChildProcessWithoutNullStreams, typed: string): Promise<Ended> {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (piece: Buffer) => (output += piece.toString()));
  }
  child.stdin.on('error', () => undefined);
  child.stdin.end(typed);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

/** A new account. */
export async function addAccount(
  lab: Lab,
  name: string,
  role: Role,
  password: string,
): Promise<void> {
  const { code, output } = await userCommand(lab, ['add', name, role], `${password}\n`);
  if (code !== 0) throw new Error(output);
}

/** What a browser holds once somebody has logged in. */
export interface Login {
  cookie: string;
  csrf: string;
}

export async function logIn(
  dashboard: DashboardProcess,
  name: string,
  password: string,
  headers: Record<string, string> = {},
): Promise<{ answer: Response; session: SessionAnswer; setCookie: string; login: Login }> {
  const answer = await fetch(new URL('/api/session', dashboard.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ name, password }),
  });
  const session = (await answer.json()) as SessionAnswer;
  const setCookie = answer.headers.get('set-cookie') ?? '';
  const cookie = setCookie.split(';')[0] ?? '';
  return { answer, session, setCookie, login: { cookie, csrf: session.csrf ?? '' } };
}
