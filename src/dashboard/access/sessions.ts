import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';

import { listPrivate, readPrivate, removePrivate, writePrivate } from './private-files.ts';
import type { User, Users } from './users.ts';

const TOKEN = /^[\w-]{43}$/;
const KEY_FILE = 'key';

const storedSession = z.object({
  name: z.string(),
  /** Says with which password it was begun. */
  mark: z.string(),
  /** Milliseconds since 1970 UTC, by this machine's clock, which alone reads it. */
  expires: z.number(),
});

/**
 * Who is logged in. What a browser holds is a random token; on the disk lies only its hash, a file
 * each, so that sessions outlive the server and end for all servers at once.
 */
export class Sessions {
  readonly #directory: string;
  readonly #users: Users;
  readonly #key: Buffer;
  readonly seconds: number;
  /** Differs from that of another dashboard on the same machine: browsers keep no ports apart. */
  readonly cookie: string;

  private constructor(stateDir: string, users: Users, key: Buffer, seconds: number) {
    this.#directory = join(stateDir, 'dashboard', 'sessions');
    this.#users = users;
    this.#key = key;
    this.seconds = seconds;
    this.cookie = `bootstrax_${this.#sign('cookie').slice(0, 8)}`;
  }

  /** The key lies in the state folder, so that signatures hold after a restart. */
  static async open(stateDir: string, users: Users, seconds: number): Promise<Sessions> {
    const directory = join(stateDir, 'dashboard');
    await writePrivate(directory, KEY_FILE, randomBytes(32).toString('hex'), 'new');
    const key = await readPrivate(directory, KEY_FILE);
    return new Sessions(stateDir, users, Buffer.from(key ?? '', 'hex'), seconds);
  }

  /** The token of a new session; removes those that are over. */
  async begin(user: User, now: Date): Promise<string> {
    await this.#removeOver(now);
    const token = randomBytes(32).toString('base64url');
    const session = {
      name: user.name,
      mark: markOf(user),
      expires: now.getTime() + this.seconds * 1000,
    };
    await writePrivate(this.#directory, fileOf(token), JSON.stringify(session), 'new');
    return token;
  }

  /** Whose session it is, as the account is now; null if it is over, or there is none. */
  async userOf(token: string | undefined, now: Date): Promise<User | null> {
    if (token === undefined || !TOKEN.test(token)) return null;
    const session = await this.#read(fileOf(token));
    if (session === null || session.expires <= now.getTime()) return null;
    const user = await this.#users.find(session.name);
    return user !== null && markOf(user) === session.mark ? user : null;
  }

  async end(token: string): Promise<void> {
    if (TOKEN.test(token)) await removePrivate(this.#directory, fileOf(token));
  }

  /** What a page must send along with whatever it wants changed: other pages cannot know it. */
  csrfOf(identity: string): string {
    return this.#sign(`csrf:${identity}`);
  }

  isCsrf(given: string | undefined, identity: string): boolean {
    const wanted = Buffer.from(this.csrfOf(identity));
    const got = Buffer.from(given ?? '');
    return got.length === wanted.length && timingSafeEqual(got, wanted);
  }

  #sign(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('hex');
  }

  async #read(file: string): Promise<z.infer<typeof storedSession> | null> {
    const text = await readPrivate(this.#directory, file);
    if (text === null) return null;
    try {
      return storedSession.parse(JSON.parse(text));
    } catch {
      // Not ours: nobody's session.
      return null;
    }
  }

  async #removeOver(now: Date): Promise<void> {
    for (const file of await listPrivate(this.#directory)) {
      const session = await this.#read(file);
      if (session === null || session.expires <= now.getTime()) {
        await removePrivate(this.#directory, file);
      }
    }
  }
}

function fileOf(token: string): string {
  return `${createHash('sha256').update(token).digest('hex')}.json`;
}

function markOf({ password }: User): string {
  return createHash('sha256').update(password).digest('hex').slice(0, 16);
}
