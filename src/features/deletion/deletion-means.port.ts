import type { Product } from '../../attempt/attempt.pure.ts';
import type { LiveData } from '../../attempt/files/live-data.ts';
import type { ProductCheck } from './deletion.pure.ts';

/** What the deletion of live data needs from outside. */
export interface DeletionMeans {
  liveData: LiveData;
  /** Reads and checks these products; throws if the check itself fails. */
  check: (
    runId: string,
    products: readonly Product[],
    signal: AbortSignal,
  ) => Promise<ProductCheck>;
}
