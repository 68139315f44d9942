import type { Command } from 'commander';

import { workersPath } from '../../infra/config/paths.ts';
import { type Done, verb } from '../framework/answering.ts';
import { CommandFailure } from '../framework/command-failure.ts';
import { askManagerOf } from '../framework/manager-request.ts';
import { settingsAndEmbedded } from '../framework/with-database.ts';

/** `bootstrax stop --children`: stops running attempts, which otherwise outlive their manager. */
export function addStop(program: Command): void {
  verb(program, {
    name: 'stop',
    about: 'stop the strax processes of this host, which go on when the manager ends',
    takes: (command) =>
      command.option(
        '--children',
        'yes, stop them: their runs are processed again, without a failure counted',
      ),
    json: 'one object: {ok, message, stopped}',
    act: async (command, { children }: { children?: boolean }) => {
      if (!children) {
        throw new CommandFailure(
          2,
          'say --children to stop the strax processes; the manager itself ends with Ctrl-C or TERM',
        );
      }
      const { settings } = await settingsAndEmbedded(command);
      const answer = await askManagerOf(settings, { type: 'stop_children' });
      if (answer === 'no manager') return stopHere(settings.paths.stateDir);
      const { ok, message, runs = [] } = answer;
      return { ok, message, stopped: runs };
    },
  });
}

async function stopHere(stateDir: string): Promise<Done & { stopped: unknown }> {
  const { stopOrphans } = await import('../host/list-orphans.ts');
  const { retireServers } = await import('../../attempt/worker/find-server.ts');
  const stopped = await stopOrphans(stateDir);
  // A warm worker would wait for a manager, and a person who says this wants none.
  await retireServers(workersPath(stateDir));
  const message =
    stopped.length === 0
      ? 'No strax process of this host is running.'
      : `Stopped ${stopped.map((run) => `run ${run}`).join(', ')}; the next manager takes ${stopped.length === 1 ? 'it' : 'them'} up again.`;
  return { ok: true, message, stopped };
}
