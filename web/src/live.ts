import { useEffect, useReducer, useState } from 'preact/hooks';

import type { ChangedEvent } from '../../src/readmodel/api.ts';
import type {
  PanelEvent,
  PanelName,
  Panels,
  StatusEvent,
} from '../../src/readmodel/panels/registry.ts';
import { begin } from './background.ts';
import { currentSession, readSession } from './session.ts';

/** The stream sends an event every two seconds; after this silence the connection counts as lost. */
const SILENCE_MS = 7000;

interface Kept {
  data: unknown;
  /** `performance.now()` when the server read it. */
  readAtMs: number;
  staleAfterSeconds: number;
}

const panels = new Map<PanelName, Kept>();
const listeners = new Set<() => void>();
const changeListeners = new Set<(ids: string[] | null) => void>();
let failing: StatusEvent['failing'] = {};
let away: StatusEvent['away'] = null;
let clock: { serverMs: number; atMs: number } | null = null;
let heardAtMs = -Infinity;
let begunAtMs = 0;
let source: EventSource | null = null;
let wasOpen = false;

function notify(): void {
  for (const listener of listeners) listener();
}

/** Follows the server's stream until `pause` or `disconnect`. */
export function connect(): void {
  begunAtMs = performance.now();
  open();
}

function open(): void {
  source?.close();
  const own = new EventSource('/api/stream');
  source = own;
  source.addEventListener('open', () => {
    if (wasOpen) begin(reloadIfOld());
    wasOpen = true;
  });
  source.addEventListener('panel', (event: MessageEvent<string>) => {
    const { panel, data, staleAfterSeconds } = JSON.parse(event.data) as PanelEvent;
    panels.set(panel, { data, readAtMs: performance.now(), staleAfterSeconds });
    notify();
  });
  source.addEventListener('status', (event: MessageEvent<string>) => {
    const status = JSON.parse(event.data) as StatusEvent;
    const at = performance.now();
    heardAtMs = at;
    failing = status.failing;
    away = status.away;
    clock = { serverMs: Date.parse(status.now), atMs: at };
    for (const [name, age] of Object.entries(status.ages)) {
      const kept = panels.get(name as PanelName);
      if (kept !== undefined) kept.readAtMs = at - age * 1000;
    }
    notify();
  });
  source.addEventListener('changed', (event: MessageEvent<string>) => {
    const { ids } = JSON.parse(event.data) as ChangedEvent;
    for (const listener of changeListeners) listener(ids);
  });
  source.addEventListener('error', () => {
    // A browser gives up after an answer that is no stream; we try again, unless nobody is logged in.
    if (own.readyState === EventSource.CLOSED) {
      setTimeout(() => {
        begin(
          readSession().then(() => {
            if (source === own && currentSession()?.role !== null) open();
          }),
        );
      }, 2000);
    }
    notify();
  });
}

/** Closes the stream while the page is hidden: what was read stays, and grows old. */
export function pause(): void {
  source?.close();
  source = null;
}

/** Loads the page again after an upgrade of the server: a page may be open for weeks. */
async function reloadIfOld(): Promise<void> {
  const own = document.querySelector<HTMLScriptElement>('script[type="module"]')?.src;
  const answer = await fetch('/').catch(() => null);
  if (own === undefined || answer?.ok !== true) return;
  const isCurrent = (await answer.text()).includes(new URL(own).pathname);
  // Not while a dialog is open: the person may be writing.
  if (!isCurrent && document.querySelector('dialog[open]') === null) location.reload();
}

/** Closes the stream and forgets what was read, after a logout. */
export function disconnect(): void {
  pause();
  panels.clear();
  failing = {};
  away = null;
  heardAtMs = -Infinity;
  notify();
}

/** The database server's clock; that of the browser before it is known. */
export function runningNow(): number {
  return clock === null ? Date.now() : clock.serverMs + (performance.now() - clock.atMs);
}

/** The time of all that is shown: it stands still while nobody can tell how things go on. */
export function serverNow(): number {
  const trouble = troubleNow();
  return trouble === null ? runningNow() : Math.min(runningNow(), trouble.sinceMs);
}

/** Why nothing new can be shown, and nothing be done. */
export interface NoNews {
  what: 'database' | 'dashboard';
  /** Name of the database, if that is known. */
  database: string | null;
  why: string | null;
  /** By the database server's clock, ms since 1970. */
  sinceMs: number;
}

/** Why nothing new comes; null: all is well, or it is too early to say. */
export function troubleNow(): NoNews | null {
  if (clock !== null && !isHeard() && !isWaiting()) {
    return { what: 'dashboard', database: null, why: null, sinceMs: clock.serverMs };
  }
  if (away === null) return null;
  const { database, why, since } = away;
  return { what: 'database', database, why, sinceMs: Date.parse(since) };
}

/** Draws again at each event of the stream, and every second. */
export function useLive(): void {
  const [, draw] = useReducer<number, void>((count) => count + 1, 0);
  useEffect(() => {
    const listener = () => draw();
    listeners.add(listener);
    const timer = setInterval(listener, 1000);
    return () => {
      listeners.delete(listener);
      clearInterval(timer);
    };
  }, []);
}

export interface Freshness {
  /** Time since it was read, seconds; null before the first time. */
  ageSeconds: number | null;
  stale: boolean;
  /** Why it is stale, if that is known. */
  why: string | null;
}

export interface LivePanel<T> extends Freshness {
  data: T | null;
}

/** The newest content of a panel, and whether it is stale. */
export function usePanel<Name extends PanelName>(name: Name): LivePanel<Panels[Name]> {
  useLive();
  const kept = panels.get(name);
  if (kept === undefined) {
    return { data: null, ageSeconds: null, stale: false, why: failing[name] ?? null };
  }
  const ageSeconds = (performance.now() - kept.readAtMs) / 1000;
  const why = failing[name] ?? null;
  return {
    data: kept.data as Panels[Name],
    ageSeconds,
    stale: why !== null || ageSeconds > kept.staleAfterSeconds,
    why: why ?? (isHeard() ? null : 'no word from the dashboard’s server'),
  };
}

/** A page waits this time for its last panels before it is drawn without them. */
const GATHER_MS = 1500;

/** Whether the page can be drawn: all its panels have arrived, or a short wait has passed. */
export function usePanelsReady(names: readonly PanelName[]): boolean {
  useLive();
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), GATHER_MS);
    return () => clearTimeout(timer);
  }, []);
  return late || names.every((name) => panels.has(name));
}

export function isHeard(): boolean {
  return performance.now() - heardAtMs < SILENCE_MS;
}

/** Whether the stream has only just been opened, so that silence means nothing yet. */
export function isWaiting(): boolean {
  return heardAtMs < begunAtMs && performance.now() - begunAtMs < SILENCE_MS;
}

/** Why a panel cannot be read; null if all can. */
export function databaseProblem(): string | null {
  return Object.values(failing)[0] ?? null;
}

/** Calls back with the ids of changed run documents; null: any of them may have changed. */
export function useChanges(onChange: (ids: string[] | null) => void): void {
  useEffect(() => {
    changeListeners.add(onChange);
    return () => {
      changeListeners.delete(onChange);
    };
  }, [onChange]);
}
