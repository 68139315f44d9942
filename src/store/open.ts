import type { Store, StoreEvent, StoreOptions } from './types.ts';

/**
 * Connects lazily: it returns at once, and an unreachable server shows at the first call.
 * `notify` hears of retries and of connections that come and go.
 */
export declare function openStore(
  options: StoreOptions,
  notify: (event: StoreEvent) => void,
): Store;
