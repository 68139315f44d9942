import { open } from 'node:fs/promises';

import type { Credentials } from './types.ts';

/**
 * Reads `username`, `password` and, optionally, `auth_source` from a file of `key = value` lines
 * that only its owner may read. Everything after the first `=` is the value, as it stands, without
 * the blanks around it; lines with `#` in front are comments.
 */
export async function readCredentials(path: string): Promise<Credentials> {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw new Error(`credentials file ${path}: ${(error as Error).message}`);
  });
  try {
    const { mode } = await file.stat();
    if ((mode & 0o077) !== 0) {
      throw new Error(
        `credentials file ${path} can be read by others than its owner: chmod 600 ${path}`,
      );
    }
    return parseCredentials(await file.readFile('utf8'), path);
  } finally {
    await file.close();
  }
}

export function parseCredentials(text: string, path: string): Credentials {
  const values = new Map<string, string>();
  for (const [i, line] of text.split('\n').entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const parts = /^\s*(username|password|auth_source)\s*=\s*(.*?)\s*$/.exec(line);
    // The line itself may be the password.
    if (!parts) throw new Error(`credentials file ${path}: line ${i + 1} is not "key = value"`);
    values.set(parts[1]!, parts[2]!);
  }
  const username = values.get('username');
  const password = values.get('password');
  if (!username || !password) {
    throw new Error(`credentials file ${path}: username and password are needed`);
  }
  const authSource = values.get('auth_source');
  return { username, password, ...(authSource ? { authSource } : {}) };
}
