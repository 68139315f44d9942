import type { Document } from 'mongodb';

import type { Collection } from '../infra/mongo/collection.ts';
import type { HostHeartbeat, NewestHeartbeat, SilentHostStore } from './host.port.ts';

const DEAD: HostHeartbeat['state'] = 'dead_bootstrax';

export function createSilentHostStore(
  monitor: Collection,
  daqTime: () => Promise<Date>,
): SilentHostStore {
  return {
    time: daqTime,
    withHeartbeatSince: async (hosts, since) => {
      const heartbeats = await monitor.find(
        { host: { $in: [...hosts] }, time: { $gte: since } },
        { projection: { _id: 0, host: 1 } },
      );
      return [...new Set(heartbeats.map(({ host }: Document) => host as string))];
    },
    newest: async (host) => {
      const [heartbeat] = await monitor.find(
        { host },
        {
          projection: { host: 1, time: 1, state: 1, production_mode: 1 },
          sort: { time: -1 },
          limit: 1,
        },
      );
      return heartbeat === undefined ? null : heartbeatOfManager(heartbeat);
    },
    markDead: async ({ id, time, state }) => {
      // With its old time: it is the age of the heartbeat that readers judge by.
      const expected = { _id: id, time, state } as Document;
      const update = [{ $set: { state: DEAD } }];
      const matched = await monitor.updateOne('eb_monitor.dead', expected, update);
      return matched === 1 ? 'landed' : 'changed';
    },
  };
}

/** Managers of both programs say in which mode they run; other programs of the host do not. */
function heartbeatOfManager({ _id, host, time, state, production_mode: mode }: Document) {
  if (typeof host !== 'string' || !(time instanceof Date) || typeof mode !== 'boolean') return null;
  return { id: _id, host, time, state: state as unknown } satisfies NewestHeartbeat;
}
