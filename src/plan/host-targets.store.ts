import type { Collection } from '../infra/mongo/collection.ts';
import type { HostTargetsStore } from '../ports/daq.port.ts';

export const HOST_TARGETS_COLLECTION = 'bootstrax_config';
const NAME = 'bootstrax_config';

export function createHostTargetsStore(configuration: Collection): HostTargetsStore {
  return {
    document: async () => {
      const [document] = await configuration.find({ name: NAME }, { limit: 1 });
      return document ?? null;
    },
  };
}
