import { join } from 'node:path';
import { z } from 'zod';

import { hashPassword } from './passwords.ts';
import { listPrivate, readPrivate, removePrivate, writePrivate } from './private-files.ts';
import { type Role, ROLES } from './session-api.ts';

/** A local account. */
export interface User {
  name: string;
  role: Role;
  /** As `hashPassword` made it. */
  password: string;
}

/** Letters, digits and `. _ @ -`, beginning with a letter or digit: also good as the name of a file. */
export const USER_NAME = /^[\p{L}\p{N}][\p{L}\p{N}._@-]{0,63}$/u;

const storedUser = z.object({ role: z.enum(ROLES), password: z.string() });

/**
 * The accounts of the dashboards that share a state folder: a file each, so that a change by one
 * command never undoes that of another, and holds for servers that run.
 */
export class Users {
  readonly #directory: string;

  constructor(stateDir: string) {
    this.#directory = join(stateDir, 'dashboard', 'users');
  }

  /** By name. */
  async list(): Promise<User[]> {
    const names = (await listPrivate(this.#directory)).map((file) =>
      decodeURIComponent(file.replace(/\.json$/, '')),
    );
    const users = await Promise.all(names.map((name) => this.find(name)));
    return users.filter((user) => user !== null);
  }

  async find(given: string): Promise<User | null> {
    const name = given.normalize('NFC');
    if (!USER_NAME.test(name)) return null;
    const text = await readPrivate(this.#directory, fileOf(name));
    if (text === null) return null;
    try {
      return { name, ...storedUser.parse(JSON.parse(text)) };
    } catch (error) {
      const path = join(this.#directory, fileOf(name));
      throw new Error(
        `${path} is not as bootstrax wrote it (${String(error)}); remove the user ${name} and add it again`,
        { cause: error },
      );
    }
  }

  /** False if the name is taken. */
  async add(name: string, role: Role, password: string): Promise<boolean> {
    return this.#write(name, role, await hashPassword(password), 'new');
  }

  /** Sets role or password; sessions begun with an old password end. False if there is no such user. */
  async change(name: string, change: { role?: Role; password?: string }): Promise<boolean> {
    const user = await this.find(name);
    if (user === null) return false;
    const password =
      change.password === undefined ? user.password : await hashPassword(change.password);
    return this.#write(name, change.role ?? user.role, password, 'existing');
  }

  /** Sessions of the account end with it. False if there is no such user. */
  async remove(name: string): Promise<boolean> {
    return removePrivate(this.#directory, fileOf(name.normalize('NFC')));
  }

  #write(name: string, role: Role, password: string, which: 'new' | 'existing') {
    const text = `${JSON.stringify({ role, password })}\n`;
    return writePrivate(this.#directory, fileOf(name.normalize('NFC')), text, which);
  }
}

function fileOf(name: string): string {
  return `${encodeURIComponent(name)}.json`;
}
