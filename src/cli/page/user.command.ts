import { stat } from 'node:fs/promises';
import type { Command } from 'commander';

import { problemOfPassword } from '../../dashboard/access/passwords.ts';
import { type Role, ROLES } from '../../dashboard/access/session-api.ts';
import { USER_NAME, Users } from '../../dashboard/access/users.ts';
import { localQuery } from '../framework/answering.ts';
import { CommandFailure } from '../framework/command-failure.ts';
import { table } from '../framework/output.ts';
import { readNewSecret } from '../framework/secret-input.ts';
import { settingsOf } from '../framework/setting-flags.ts';

/** `bootstrax user`: the accounts of the dashboard. */
export function addUser(program: Command): void {
  const user = program
    .command('user')
    .description('accounts of the dashboard: viewers look, operators act (docs/access.md)');
  localQuery(user, {
    name: 'add',
    about: 'a new account; its password is asked for, or read from standard input',
    takes: (command) => command.argument('<name>').argument('<role>', ROLES.join(' or ')),
    json: 'one object: {name, role}',
    read: addAccount,
    draw: ({ name, role }) => `${name} is now an account: ${role}.`,
  });
  localQuery(user, {
    name: 'list',
    about: 'all accounts and what they may do',
    json: 'one object: {users: [{name, role}]}',
    read: async (command) => {
      const accounts = await (await usersOf(command)).list();
      return { users: accounts.map(({ name, role }) => ({ name, role })) };
    },
    draw: ({ users }) =>
      users.length === 0
        ? 'No accounts.'
        : table(
            ['name', 'role'],
            users.map(({ name, role }) => [name, role]),
          ),
  });
  localQuery(user, {
    name: 'password',
    about: 'a new password for an account; its logins end',
    takes: (command) => command.argument('<name>'),
    json: 'one object: {name}',
    read: async (command, _options, name: string) => {
      const users = await usersOf(command);
      if ((await users.find(name)) === null) throw unknown(name);
      const password = await newPassword(name);
      if (!(await users.change(name, { password }))) throw unknown(name);
      return { name };
    },
    draw: ({ name }) => `${name} has a new password; its former logins have ended.`,
  });
  localQuery(user, {
    name: 'role',
    about: 'let an account look (viewer) or also act (operator), at once',
    takes: (command) => command.argument('<name>').argument('<role>', ROLES.join(' or ')),
    json: 'one object: {name, role}',
    read: async (command, _options, name: string, word: string) => {
      const role = roleOf(word);
      const users = await usersOf(command);
      if (!(await users.change(name, { role }))) throw unknown(name);
      return { name, role };
    },
    draw: ({ name, role }) => `${name} is now ${role}.`,
  });
  localQuery(user, {
    name: 'remove',
    about: 'remove an account; its logins end',
    takes: (command) => command.argument('<name>'),
    json: 'one object: {name}',
    read: async (command, _options, name: string) => {
      if (!(await (await usersOf(command)).remove(name))) throw unknown(name);
      return { name };
    },
    draw: ({ name }) => `${name} is no account any more.`,
  });
}

async function addAccount(command: Command, _options: object, name: string, word: string) {
  const role = roleOf(word);
  if (!USER_NAME.test(name.normalize('NFC'))) {
    throw new CommandFailure(
      2,
      `"${name}" is no name for an account: letters, digits and . _ @ -, at most 64 of them`,
    );
  }
  const users = await usersOf(command);
  if ((await users.find(name)) !== null) throw taken(name);
  const password = await newPassword(name);
  if (!(await users.add(name, role, password))) throw taken(name);
  return { name, role };
}

async function usersOf(command: Command): Promise<Users> {
  const { stateDir } = (await settingsOf(command, { withoutCredentials: true })).settings.paths;
  const owner = await stat(stateDir).catch(() => null);
  // A server of that user could not read what another user writes.
  if (owner !== null && owner.uid !== process.getuid?.()) {
    throw new CommandFailure(
      2,
      `${stateDir} belongs to the user with number ${owner.uid}: call this as that user ` +
        `(sudo -u '#${owner.uid}' bootstrax user ...)`,
    );
  }
  return new Users(stateDir);
}

function roleOf(word: string): Role {
  const role = ROLES.find((each) => each === word);
  if (role !== undefined) return role;
  throw new CommandFailure(2, `"${word}" is no role: ${ROLES.join(' or ')}`);
}

async function newPassword(name: string): Promise<string> {
  const password = await readNewSecret(`Password of ${name}`);
  const problem = problemOfPassword(password);
  if (problem !== null) throw new CommandFailure(2, `not a good password: ${problem}`);
  return password;
}

function taken(name: string): CommandFailure {
  return new CommandFailure(
    1,
    `${name} is an account already: see bootstrax user password and bootstrax user role`,
  );
}

function unknown(name: string): CommandFailure {
  return new CommandFailure(1, `${name} is no account: see bootstrax user list`);
}
