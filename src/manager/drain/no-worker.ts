import { retireServers } from '../../attempt/worker/find-server.ts';
import { LocalReach } from '../../executors/local/local-reach.ts';
import type { Settings } from '../../infra/config/entries.ts';
import { graphPath, workersPath } from '../../infra/config/paths.ts';
import { type LocalWorker, readGraph } from '../worker-of-host.ts';

/** For a manager that begins no attempt: it only sees to those that are there. */
export function noWorker({ worker: { context }, paths }: Settings): LocalWorker {
  const reason = 'this manager begins no attempt';
  return {
    executor: {
      name: 'local',
      foundWithinSeconds: 0,
      start: () => Promise.resolve({ kind: 'refused', reason }),
      find: (trace) => Promise.resolve(new LocalReach(trace)),
      places: () => ({ total: 0, free: 0, why: reason }),
      ready: () => ({ ok: false, reason }),
      startsAtOnce: () => false,
      onChange: () => () => undefined,
      versions: () => ({}),
      sees: () => true,
      avoids: () => [],
      facts: () => null,
      describe: () => reason,
    },
    graph: () => readGraph(graphPath(paths.stateDir, context), context),
    close: async (forGood) => {
      if (forGood) await retireServers(workersPath(paths.stateDir));
    },
  };
}
