import { alarmsPanel } from './alarms.panel.ts';
import { hostsPanel } from './hosts.panel.ts';
import { lastDayPanels } from './last-day.panel.ts';
import type { PanelReader, PanelReading } from './panel-reader.ts';
import { runPanels } from './runs.panel.ts';
import { waitingPanels } from './waiting.panel.ts';

/** All panels, by the group in which they are read. */
export const PANEL_READERS = {
  runs: runPanels,
  hosts: hostsPanel,
  waiting: waitingPanels,
  alarms: alarmsPanel,
  day: lastDayPanels,
} as const;

export type PanelGroup = keyof typeof PANEL_READERS;
export const PANEL_GROUPS = Object.keys(PANEL_READERS) as PanelGroup[];

type DataOf<Reader> = Reader extends PanelReader<infer Data> ? Data : never;
type Together<Union> = (Union extends unknown ? (each: Union) => void : never) extends (
  all: infer All,
) => void
  ? All
  : never;

/** What everybody sees; each panel is read, sent and grows old by itself. */
export type Panels = Together<DataOf<(typeof PANEL_READERS)[PanelGroup]>>;
export type PanelName = keyof Panels;

/** A panel that was just read. */
export interface ReadPanel {
  name: PanelName;
  data: unknown;
  staleAfterSeconds: number;
}

/** The panels that a group reads. */
export function panelsOf(group: PanelGroup): PanelName[] {
  return Object.keys(PANEL_READERS[group].staleAfterSeconds) as PanelName[];
}

export async function readPanels(group: PanelGroup, reading: PanelReading): Promise<ReadPanel[]> {
  const reader: PanelReader<object> = PANEL_READERS[group];
  const data = new Map<string, unknown>(Object.entries(await reader.read(reading)));
  const stale = new Map<string, number>(Object.entries(reader.staleAfterSeconds));
  return panelsOf(group).map((name) => ({
    name,
    data: data.get(name),
    staleAfterSeconds: stale.get(name) ?? 0,
  }));
}

/** Event `panel` of the stream. */
export interface PanelEvent<Name extends PanelName = PanelName> {
  panel: Name;
  data: Panels[Name];
  /** At this age it is no longer believed. */
  staleAfterSeconds: number;
}

/** Event `status`: every two seconds, and at once when something goes wrong. */
export interface StatusEvent {
  /** The database server's clock. */
  now: string;
  /** Age of each panel in seconds. */
  ages: Partial<Record<PanelName, number>>;
  /** Why a panel could not be read the last time. */
  failing: Partial<Record<PanelName, string>>;
  /** A database that does not answer; null: all do. `since`: by the database server's clock. */
  away: { since: string; database: string | null; why: string } | null;
}
