import type { Command } from 'commander';
import { settingsAndEmbedded } from '../../framework/with-database.ts';
import { checkDatabase, checkHost, checkPython, type Finding } from './doctor-checks.ts';
import { checkStateFolder } from './doctor-exclusion.ts';
import { checkWorkers } from './doctor-workers.ts';
import { checkLifeSigns } from './doctor-heartbeats.ts';
import { print, printJson, style } from '../../framework/output.ts';
import { unknownVariables } from '../../framework/setting-flags.ts';

interface Options {
  contract?: string;
  json?: boolean;
}

/** `bootstrax doctor`: what is missing on this machine, and what to do about it. */
export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('look for what is wrong on this machine and say what to do; changes nothing')
    .option(
      '--contract <url>',
      'run this program’s database operations on that server, in a database of their own that is removed again',
    )
    .option(
      '--json',
      'one object: {ok, checks: [{check, state, says, todo}]}; with --contract ' +
        '{ok, server, database, left, checks: [{check, state, says, means}], privileges, granted, commands}',
    )
    .action(async ({ contract, json }: Options, command: Command) => {
      const loaded = await settingsAndEmbedded(command);
      if (contract !== undefined) {
        const { doctorContract } = await import('./doctor-contract.ts');
        await doctorContract(loaded, contract, json ?? false);
        return;
      }
      const groups = await Promise.all([
        checkHost(loaded),
        checkStateFolder(loaded),
        checkPython(loaded.settings),
        checkWorkers(loaded.settings),
        checkDatabase(loaded),
        checkLifeSigns(loaded),
      ]);
      const checks = [
        ...unknownVariables(process.env).map(({ name, meant }): Finding => ({
          check: 'environment',
          state: 'warn',
          says: `${name} is no setting and is ignored`,
          todo: meant === null ? `unset ${name}` : `perhaps ${meant} was meant`,
        })),
        ...groups.flat(),
      ];
      const ok = checks.every(({ state }) => state !== 'problem');
      if (json) printJson({ ok, checks });
      else for (const check of checks) print(inWords(check));
      if (!ok) process.exitCode = 1;
    });
}

function inWords({ check, state, says, todo }: Finding): string {
  const colour = { ok: 'green', warn: 'yellow', problem: 'red' } as const;
  const line = `${style(colour[state], state.padEnd(7))} ${check}: ${says}`;
  return todo === null ? line : `${line}\n        ${todo.replaceAll('\n', '\n        ')}`;
}
