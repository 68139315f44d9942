import { rm, symlink } from 'node:fs/promises';

import { LocalExecutor } from '../../../../src/executors/local/local-executor.ts';
import { type ContractStage, keepsTheContract } from '../../../support/executor-contract.ts';
import { attempt, forkServer, settled, until } from '../../attempt/worker/support.ts';

/** Attempts of the tests' tiny context, forked from a real worker. */
async function open(): Promise<ContractStage> {
  const watched = forkServer();
  const { server, folder } = watched;
  await settled(watched);
  const executor = new LocalExecutor({ server, slots: 2 });
  return {
    executor,
    attempt: (does) =>
      attempt(folder, does === 'hangs' ? { tiny_fault: 'hang' } : { tiny_pause_seconds: 0.5 }),
    answered: async (kind, { plan, directory }) => {
      if (kind === 'refused') server.close();
      const pid = server.pid ?? 0;
      if (kind === 'unknown') process.kill(pid, 'SIGSTOP');
      const start = executor.start(plan, directory);
      if (kind === 'unknown') {
        // Nobody can be told any more that it is not to begin: /proc takes no file, from root neither.
        await rm(directory, { recursive: true });
        await symlink('/proc', directory);
        process.kill(pid, 'SIGKILL');
      }
      return start;
    },
    wait: (what) => what,
    until: async (what, condition) => {
      await until(what, condition);
    },
  };
}

keepsTheContract(open);
