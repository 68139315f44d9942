import type { Store } from '../../ports/store.ts';
import type { Scratch } from './scratch.ts';

/** What a check works on. */
export interface CheckContext {
  scratch: Scratch;
  store: Store;
}

/** The server answered, but not as the program needs it. */
export class NotAsPromised extends Error {}

/** One promise that the server has to keep. */
export interface ContractCheck {
  name: string;
  /** What the program rests on it. */
  means: string;
  /** `hindrance`: it works without, though less well. */
  weight: 'needed' | 'hindrance';
  /** Answers what was seen; throws `NotAsPromised` or a `StoreError`. */
  look(context: CheckContext): Promise<string>;
}

/** Throws unless it holds. `what` says what was seen instead. */
export function expect(holds: boolean, what: string): void {
  if (!holds) throw new NotAsPromised(what);
}
