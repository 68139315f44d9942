export type * from './types.ts';
export { StoreError, type StoreErrorKind } from './errors.ts';
export { openStore } from './open.ts';
export { readCredentials } from './credentials.ts';
export { QUEUE_COUNT_LIMIT, seenOf } from './runs.ts';
export {
  findEmbedded,
  startEmbedded,
  stopEmbedded,
  type EmbeddedOptions,
  type EmbeddedServer,
} from './embedded-server.ts';
