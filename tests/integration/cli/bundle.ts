import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { PACKAGE } from '../../support/lab.ts';

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs the built command in an empty environment apart from what is given. */
export async function bootstrax(
  args: readonly string[],
  { env = {}, input }: { env?: Record<string, string>; input?: string } = {},
): Promise<Ended> {
  const child = spawn(process.execPath, [join(PACKAGE, 'bin/bootstrax'), ...args], {
    env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (piece: Buffer) => (stdout += piece.toString()));
  child.stderr.on('data', (piece: Buffer) => (stderr += piece.toString()));
  // A command that needs no input may have ended before it is written.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input ?? '');
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

/** The last line of standard output as JSON. */
export function lastJson(stdout: string): Record<string, unknown> {
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Record<string, unknown>;
}
