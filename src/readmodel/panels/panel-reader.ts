import type { Destination } from '../../features/alarms/alarm.port.ts';
import type { Rules } from '../../infra/config/rules.pure.ts';
import type { Store } from '../../ports/store.ts';
import type { FleetReader } from './fleet-reader.ts';

/** What the reader of a panel is given. */
export interface PanelReading {
  store: Store;
  rules: Rules;
  /** The database server's clock. */
  now: Date;
  /** Where alarms are sent. */
  destinations: readonly Destination[];
  /** The hosts, as they were read last. */
  fleet: FleetReader;
}

/** A panel, or several that are made from the same queries. */
export interface PanelReader<Data extends object> {
  /** Age from which each panel counts as stale. */
  staleAfterSeconds: Readonly<Record<keyof Data, number>>;
  /** While a browser is connected. */
  everyMs: number;
  /** It is also read as soon as a run has changed. */
  showsRuns: boolean;
  read: (reading: PanelReading) => Promise<Data>;
}
