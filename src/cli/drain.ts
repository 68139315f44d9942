import type { Command } from 'commander';
import { mkdir } from 'node:fs/promises';
import { userInfo } from 'node:os';
import type { Settings } from '../config/entries.ts';
import type { ControlResponse } from '../machine/lock.ts';
import { settingsAndEmbedded } from './database.ts';
import { askManagerOf } from './manager-request.ts';
import { print, printJson } from './output.ts';

const JSON_HELP = 'one object: {ok, message, runs}';

/** `bootstrax drain`: this host takes no new run, also after a restart. */
export function addDrain(program: Command): void {
  program
    .command('drain')
    .description('take no new run on this host until undrain; what is in work goes on')
    .option('--reason <text>', 'for those who look at status and hosts')
    .option('--json', JSON_HELP)
    .action(async (options: { reason?: string; json?: boolean }, command: Command) => {
      const { settings } = await settingsAndEmbedded(command);
      const by = `drained by ${userInfo().username}`;
      const reason = options.reason === undefined ? by : `${by}: ${options.reason}`;
      const answer = await askManagerOf(settings, { type: 'drain', reason });
      if (answer !== 'no manager') return tell(answer, options);
      const { keepDrain } = await import('../manager/keeping-back/drain.ts');
      await mkdir(settings.paths.stateDir, { recursive: true });
      await keepDrain(settings.paths.stateDir, reason);
      tell(
        { ok: true, message: `${withoutManager(settings)}; once started, it takes no run` },
        options,
      );
    });
}

/** `bootstrax undrain`: ends `drain`, and a `handback` that still waits. */
export function addUndrain(program: Command): void {
  program
    .command('undrain')
    .description('take runs on this host again')
    .option('--json', JSON_HELP)
    .action(async (options: { json?: boolean }, command: Command) => {
      const { settings } = await settingsAndEmbedded(command);
      const answer = await askManagerOf(settings, { type: 'undrain' });
      if (answer !== 'no manager') return tell(answer, options);
      const { endDrain } = await import('../manager/keeping-back/drain.ts');
      await endDrain(settings.paths.stateDir);
      tell(
        { ok: true, message: `${withoutManager(settings)}; once started, it takes runs` },
        options,
      );
    });
}

function withoutManager({ host }: Settings): string {
  return `no manager runs for ${host.name}`;
}

function tell(answer: ControlResponse, { json }: { json?: boolean }): void {
  const { ok, message, runs = [] } = answer;
  if (json) printJson({ ok, message, runs });
  else print(message);
  if (!ok) process.exitCode = 1;
}
