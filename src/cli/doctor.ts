import type { Command } from 'commander';
import { settingsAndEmbedded } from './database.ts';
import { checkDatabase, checkHost, checkPython, type Finding } from './doctor-checks.ts';
import { print, printJson, style } from './output.ts';
import { unknownVariables } from './settings.ts';

/** `bootstrax doctor`: what is missing on this machine, and what to do about it. */
export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('look for what is wrong on this machine and say what to do; changes nothing')
    .option('--json', 'one object: {ok, checks: [{check, state, says, todo}]}')
    .action(async ({ json }: { json?: boolean }, command: Command) => {
      const loaded = await settingsAndEmbedded(command);
      const groups = await Promise.all([
        checkHost(loaded),
        checkPython(loaded.settings),
        checkDatabase(loaded),
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
