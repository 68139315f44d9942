import { readAlarms } from '../../features/alarms/alarm-panel.ts';
import type { AlarmsPanel } from '../api.ts';
import type { PanelReader } from './panel-reader.ts';

/** Alarms, and whether their receivers can be reached. */
export const alarmsPanel: PanelReader<{ alarms: AlarmsPanel }> = {
  staleAfterSeconds: { alarms: 20 },
  everyMs: 5000,
  showsRuns: false,
  read: async ({ store, destinations, now }) => ({
    alarms: await readAlarms(store, destinations, now),
  }),
};
