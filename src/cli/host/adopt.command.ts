import type { Command } from 'commander';

import type { Loaded } from '../../infra/config/load-config.ts';
import { counted } from '../../infra/values/counted.pure.ts';
import { verb } from '../framework/answering.ts';
import { CommandFailure } from '../framework/command-failure.ts';
import { settingsWithDatabase, withStore } from '../framework/with-database.ts';

interface Adopted {
  ok: true;
  /** The folder's owner until now; null: nobody. */
  from: string | null;
  to: string;
  /** Run documents that were changed. */
  runs: number;
  message: string;
}

/** `bootstrax adopt`: a state folder goes on under this host's name. */
export function addAdopt(program: Command): void {
  verb(program, {
    name: 'adopt',
    about:
      'give the state folder to the present name of this host, with all that the databases know by the old one',
    takes: (command) =>
      command.option(
        '--database',
        'the database has taken the place of the one that the folder belongs to',
      ),
    json: 'one object: {ok, from, to, runs, message}',
    act: async (command, { database }: { database?: boolean }) =>
      adopt(await settingsWithDatabase(command), database ?? false),
  });
}

async function adopt(loaded: Loaded, forgetDatabase: boolean): Promise<Adopted> {
  const { stateDir } = loaded.settings.paths;
  const to = loaded.settings.host.name;
  const { tryLockFolder } = await import('../../exclusion/folder-lock.ts');
  const { machineMark } = await import('../../exclusion/machine-mark.ts');
  const { keepFolderRecord, ownerOfFolder, recordFor } =
    await import('../../exclusion/state-folder.ts');
  const lock = tryLockFolder(stateDir);
  if (lock === null) {
    throw new CommandFailure(1, `a manager uses the state folder ${stateDir}: end it first`);
  }
  try {
    const from = (await ownerOfFolder(stateDir))?.host ?? null;
    const runs =
      from === null || from === to
        ? 0
        : await withStore(loaded, (store) => store.adoption.move(from, to));
    const record = await recordFor(stateDir, { host: to, machine: machineMark() });
    await keepFolderRecord(stateDir, forgetDatabase ? { ...record, database: null } : record);
    const moved =
      from === null || from === to
        ? ''
        : `, until now of ${from}; ${counted(runs, 'run document names', 'run documents name')} ${to} instead`;
    return {
      ok: true,
      from,
      to,
      runs,
      message: `the state folder ${stateDir} is that of ${to}${moved}`,
    };
  } finally {
    lock.release();
  }
}
