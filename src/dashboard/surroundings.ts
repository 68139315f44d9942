import type { Logger } from 'pino';

import type { Background } from '../infra/concurrency/tasks.ts';
import type { Settings } from '../infra/config/entries.ts';
import type { Store } from '../ports/store.ts';
import type { Feeder } from './feeder.ts';
import type { Metrics } from './metrics/metrics.ts';

/** What the answers are made of. */
export interface Surroundings extends Background {
  store: Store;
  settings: Settings;
  feeder: Feeder;
  metrics: Metrics;
  log: Logger;
}
