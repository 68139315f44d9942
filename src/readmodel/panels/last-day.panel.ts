import type { HostScore } from '../hosts.pure.ts';
import type { LatencyPlot, OutcomePlot, ThroughputPlot } from '../hours.pure.ts';
import { readDay } from '../readings.ts';
import type { PanelReader } from './panel-reader.ts';

interface LastDay {
  plots: { latency: LatencyPlot; outcomes: OutcomePlot; throughput: ThroughputPlot };
  scores: HostScore[];
}

/** The last 24 hours. */
export const lastDayPanels: PanelReader<LastDay> = {
  staleAfterSeconds: { plots: 150, scores: 150 },
  everyMs: 30_000,
  showsRuns: false,
  read: ({ store, now }) => readDay(store, now),
};
