import type { LiveData } from '../../attempt/files/live-data.ts';
import type { Product } from '../../attempt/attempt.pure.ts';
import type { ProductCheck } from './deletion.pure.ts';

/** What the deletion of live data needs besides. */
export interface DeletionMeans {
  liveData: LiveData;
  /** Loads all of these products; throws if it cannot tell how they are. */
  check: (
    runId: string,
    products: readonly Product[],
    signal: AbortSignal,
  ) => Promise<ProductCheck>;
}
