import type { AttentionItem } from '../attention.pure.ts';
import type { Queue } from '../queue.pure.ts';
import { readWaiting } from '../readings.ts';
import type { PanelReader } from './panel-reader.ts';

/** Runs that wait for a host, and what does not become well by itself. */
export const waitingPanels: PanelReader<{ queue: Queue; attention: AttentionItem[] }> = {
  staleAfterSeconds: { queue: 20, attention: 20 },
  everyMs: 5000,
  showsRuns: true,
  read: async ({ store, rules, now, fleet }) => readWaiting(store, await fleet.cards(), rules, now),
};
