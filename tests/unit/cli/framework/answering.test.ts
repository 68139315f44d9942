import { Command } from 'commander';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { localQuery, verb } from '../../../../src/cli/framework/answering.ts';
import { addFormerName } from '../../../../src/cli/framework/former-names.ts';

let out: string;
let err: string;

beforeEach(() => {
  out = '';
  err = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((out += String(text)), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((err += String(text)), true));
});

afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

interface Given {
  loud?: boolean;
}

async function run(...args: string[]): Promise<void> {
  const program = new Command('lab').exitOverride();
  const look = localQuery(program, {
    name: 'look',
    about: 'read something',
    takes: (command) => {
      command.argument('<what>').argument('[more...]').option('--loud', 'in capitals');
      addFormerName(command, '--noisy', '--loud');
    },
    json: 'one object: {what}',
    read: (_command, { loud }: Given, what: string, more: string[]) =>
      Promise.resolve({ what: loud ? what.toUpperCase() : what, more }),
    shape: ({ what }) => ({ what }),
    draw: ({ what, more }) => [what, ...more].join('\n'),
    isProblem: ({ what }) => what === 'fire',
  });
  verb(look, {
    name: 'again',
    about: 'look again',
    takes: (command) => command.option('--fail', 'in vain'),
    json: 'one object: {ok, message, times}',
    act: (_command, { fail }: { fail?: boolean }) =>
      Promise.resolve({ ok: !fail, message: fail ? 'nothing is there' : 'seen', times: 2 }),
  });
  await program.parseAsync(args, { from: 'user' });
}

it('a query draws its answer for people, and prints one line of JSON for programs', async () => {
  await run('look', 'tree', 'bird');
  expect(out).toBe('tree\nbird\n');
  out = '';
  await run('look', 'tree', 'bird', '--json');
  expect(out).toBe('{"what":"tree"}\n');
  expect(process.exitCode).toBeUndefined();
});

it('a query that has found a problem ends with exit code 1, with and without JSON', async () => {
  await run('look', 'fire');
  expect(process.exitCode).toBe(1);
  process.exitCode = undefined;
  await run('look', 'fire', '--json');
  expect(process.exitCode).toBe(1);
});

it('a verb prints its message, or all that it has done as JSON, below its parent as well', async () => {
  await run('look', 'again');
  expect(out).toBe('seen\n');
  out = '';
  await run('look', 'again', '--json');
  expect(out).toBe('{"ok":true,"message":"seen","times":2}\n');
  expect(process.exitCode).toBeUndefined();
});

it('a verb that did not succeed says why and ends with exit code 1', async () => {
  await run('look', 'again', '--fail');
  expect(out).toBe('nothing is there\n');
  expect(process.exitCode).toBe(1);
});

it('an option is taken under its former name too, and one line says the new one', async () => {
  await run('look', 'tree', '--noisy');
  expect(out).toBe('TREE\n');
  expect(err).toBe('bootstrax: --noisy is called --loud now\n');
});
