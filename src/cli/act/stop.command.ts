import type { Command } from 'commander';
import { workersPath } from '../../infra/config/paths.ts';
import { settingsAndEmbedded } from '../framework/with-database.ts';
import { CommandFailure } from '../framework/command-failure.ts';
import { askManagerOf } from '../framework/manager-request.ts';
import { print, printJson } from '../framework/output.ts';

/** `bootstrax stop --children`: ends running attempts, which outlive their manager otherwise. */
export function addStop(program: Command): void {
  program
    .command('stop')
    .description('end the strax processes of this host, which go on when the manager ends')
    .option(
      '--children',
      'yes, end them: their runs are processed again, without a failure counted',
    )
    .option('--json', 'one object: {ok, message, stopped}')
    .action(
      async ({ children, json }: { children?: boolean; json?: boolean }, command: Command) => {
        if (!children) {
          throw new CommandFailure(
            2,
            'say --children to end the strax processes; the manager itself ends with Ctrl-C or TERM',
          );
        }
        const { settings } = await settingsAndEmbedded(command);
        const answer = await askManagerOf(settings, { type: 'stop_children' });
        if (answer !== 'no manager') {
          const { ok, message, runs = [] } = answer;
          if (json) printJson({ ok, message, stopped: runs });
          else print(answer.message);
          if (!answer.ok) process.exitCode = 1;
          return;
        }
        const { stopOrphans } = await import('../host/list-orphans.ts');
        const { retireServers } = await import('../../attempt/worker/find-server.ts');
        const { stateDir } = settings.paths;
        const stopped = await stopOrphans(stateDir);
        // It would wait for a manager, to no purpose for whoever wants the host to be quiet.
        await retireServers(workersPath(stateDir));
        const message =
          stopped.length === 0
            ? 'No strax process of this host is running.'
            : `Ended ${stopped.map((run) => `run ${run}`).join(', ')}; the next manager takes it up again.`;
        if (json) printJson({ ok: true, message, stopped });
        else print(message);
      },
    );
}
