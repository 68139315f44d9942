import type { StripCell } from '../api.ts';
import { readRuns } from '../readings.ts';
import type { RunRow } from '../run-row.pure.ts';
import type { PanelReader } from './panel-reader.ts';

interface RunPanels {
  /** Being taken or in work, newest first. */
  working: RunRow[];
  /** The last hundred runs, oldest first. */
  strip: StripCell[];
}

export const runPanels: PanelReader<RunPanels> = {
  staleAfterSeconds: { working: 10, strip: 10 },
  everyMs: 1000,
  showsRuns: true,
  read: ({ store, rules, now }) => readRuns(store, rules, now),
};
