import type { Store } from '../types.ts';
import type { Scratch } from './scratch.ts';

/** What a check works on. */
export interface CheckContext {
  scratch: Scratch;
  store: Store;
}

/** The server answered, but not as the program needs it. */
export class NotAsPromised extends Error {}
