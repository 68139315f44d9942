import { useEffect, useReducer } from 'preact/hooks';

import type {
  ActionBody,
  ActionsAnswer,
  ActionView,
  AuditAnswer,
} from '../../../src/readmodel/action-api.ts';
import { begin } from '../background.ts';
import { send } from '../session.ts';

/** Interval at which the states of the actions are read. */
const POLL_MS = 1000;
/** Notices of done actions are shown for this time, ms; refused ones stay until they are closed. */
const SHOW_DONE_MS = 10_000;
/** A silent host may answer a week later; then the list of actions shows it. */
const SHOW_WAITING_MS = 120_000;
const MOST_READ = 200;

/** The actions that one press of a button has requested. */
export interface Batch {
  id: number;
  actions: ActionView[];
  sentAtMs: number;
  endedAtMs: number | null;
}

let batches: Batch[] = [];
let timer: ReturnType<typeof setInterval> | null = null;
const listeners = new Set<() => void>();

const isOpen = ({ state }: ActionView) => state === 'requested' || state === 'seen';

function notify(): void {
  for (const listener of listeners) listener();
}

/** Requests an action, and follows it until it is done or refused. */
export async function act(body: ActionBody): Promise<void> {
  const { actions } = await send<ActionsAnswer>('POST', '/api/actions', body);
  const at = performance.now();
  const id = (batches.at(-1)?.id ?? 0) + 1;
  batches = [
    ...batches,
    { id, actions, sentAtMs: at, endedAtMs: actions.some(isOpen) ? null : at },
  ];
  timer ??= setInterval(() => begin(poll()), POLL_MS);
  notify();
}

/** Takes a batch from the screen; the list of actions keeps it. */
export function dismiss(id: number): void {
  batches = batches.filter((batch) => batch.id !== id);
  notify();
}

async function poll(): Promise<void> {
  const at = performance.now();
  batches = batches.filter((batch) => !hasBeenShown(batch, at));
  if (batches.length === 0 && timer !== null) {
    clearInterval(timer);
    timer = null;
  }
  if (batches.some(({ endedAtMs }) => endedAtMs === null)) await update();
  notify();
}

function hasBeenShown({ actions, sentAtMs, endedAtMs }: Batch, at: number): boolean {
  if (endedAtMs === null) return at - sentAtMs > SHOW_WAITING_MS;
  return actions.every(({ state }) => state === 'done') && at - endedAtMs > SHOW_DONE_MS;
}

async function update(): Promise<void> {
  const answer = await fetch(`/api/actions?limit=${MOST_READ}`).catch(() => null);
  if (answer?.ok !== true) return;
  const newest = new Map(
    ((await answer.json()) as AuditAnswer).actions.map((action) => [action.id, action]),
  );
  const at = performance.now();
  batches = batches.map((batch) => {
    const actions = batch.actions.map((action) => newest.get(action.id) ?? action);
    return {
      ...batch,
      actions,
      endedAtMs: batch.endedAtMs ?? (actions.some(isOpen) ? null : at),
    };
  });
}

/** Every batch on the screen, oldest first. */
export function useBatches(): readonly Batch[] {
  const [, draw] = useReducer<number, void>((count) => count + 1, 0);
  useEffect(() => onBatches(() => draw()), []);
  return batches;
}

/** Calls back when something was requested or has moved on. */
export function onBatches(listener: () => void): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}
