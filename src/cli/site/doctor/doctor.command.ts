import type { Command } from 'commander';

import type { Loaded } from '../../../infra/config/load-config.ts';
import { localQuery } from '../../framework/answering.ts';
import { style } from '../../framework/output.ts';
import { unknownVariables } from '../../framework/setting-flags.ts';
import { settingsAndEmbedded } from '../../framework/with-database.ts';
import { checkDatabase, checkHost, checkPython, type Finding } from './doctor-checks.ts';
import { type ContractAnswer, contractInWords } from './doctor-contract.ts';
import { checkStateFolder } from './doctor-exclusion.ts';
import { checkHeartbeats } from './doctor-heartbeats.ts';
import { checkWorkers } from './doctor-workers.ts';

/** `bootstrax doctor`: what is missing on this machine, and what to do about it. */
export function addDoctor(program: Command): void {
  localQuery(program, {
    name: 'doctor',
    about: 'find what is wrong on this machine and say what to do; changes nothing',
    takes: (command) =>
      command
        .option(
          '--contract <url>',
          'run this program’s database operations on that server, in a database of their own that is removed again',
        )
        .option('--slurm', 'try Slurm, with a job that checks the storage of this host'),
    json:
      'one object: {ok, checks: [{check, state, says, todo}]}; with --contract ' +
      '{ok, server, database, left, checks: [{check, state, says, means}], privileges, granted, commands}',
    read: async (command, { contract, slurm }: Asked): Promise<Examined> => {
      const loaded = await settingsAndEmbedded(command);
      if (slurm === true) {
        const { checkSlurm } = await import('./doctor-slurm.ts');
        return { kind: 'machine', answer: answerOf(await checkSlurm(loaded.settings)) };
      }
      if (contract === undefined) return { kind: 'machine', answer: await checkMachine(loaded) };
      const { doctorContract } = await import('./doctor-contract.ts');
      return { kind: 'contract', answer: await doctorContract(loaded, contract) };
    },
    shape: ({ answer }) => answer,
    draw: (examined) =>
      examined.kind === 'machine'
        ? examined.answer.checks.map(inWords).join('\n')
        : contractInWords(examined.answer),
    isProblem: ({ answer }) => !answer.ok,
  });
}

interface Asked {
  contract?: string;
  slurm?: boolean;
}

/** What was examined: this machine, or a database server. */
type Examined =
  | { kind: 'machine'; answer: { ok: boolean; checks: Finding[] } }
  | { kind: 'contract'; answer: ContractAnswer };

async function checkMachine(loaded: Loaded): Promise<{ ok: boolean; checks: Finding[] }> {
  const groups = await Promise.all([
    checkHost(loaded),
    checkStateFolder(loaded),
    checkPython(loaded.settings),
    checkWorkers(loaded.settings),
    checkDatabase(loaded),
    checkHeartbeats(loaded),
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
  return answerOf(checks);
}

function answerOf(checks: Finding[]): { ok: boolean; checks: Finding[] } {
  return { ok: checks.every(({ state }) => state !== 'problem'), checks };
}

function inWords({ check, state, says, todo }: Finding): string {
  const colour = { ok: 'green', warn: 'yellow', problem: 'red' } as const;
  const line = `${style(colour[state], state.padEnd(7))} ${check}: ${says}`;
  return todo === null ? line : `${line}\n        ${todo.replaceAll('\n', '\n        ')}`;
}
