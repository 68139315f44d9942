import { useEffect, useReducer } from 'preact/hooks';
import type {
  ActionBody,
  ActionsAnswer,
  ActionView,
  AuditAnswer,
} from '../../../src/readmodel/action-api.ts';
import { send } from '../session.ts';
import { begin } from '../background.ts';

/** How often it is asked what has become of them, ms. */
const LOOK_MS = 1000;
/** What went well is shown for so long, ms; what did not, until a person has read it. */
const SHOW_DONE_MS = 10_000;
/** A silent host may answer next week: then the audit tells. */
const SHOW_WAITING_MS = 120_000;
const MOST_LOOKED_AT = 200;

/** What was asked for with one press of a button. */
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
  timer ??= setInterval(() => begin(look()), LOOK_MS);
  notify();
}

/** Takes a batch from the screen; the audit keeps it. */
export function dismiss(id: number): void {
  batches = batches.filter((batch) => batch.id !== id);
  notify();
}

async function look(): Promise<void> {
  const at = performance.now();
  batches = batches.filter((batch) => !isOver(batch, at));
  if (batches.length === 0 && timer !== null) {
    clearInterval(timer);
    timer = null;
  }
  if (batches.some(({ endedAtMs }) => endedAtMs === null)) await update();
  notify();
}

function isOver({ actions, sentAtMs, endedAtMs }: Batch, at: number): boolean {
  if (endedAtMs === null) return at - sentAtMs > SHOW_WAITING_MS;
  return actions.every(({ state }) => state === 'done') && at - endedAtMs > SHOW_DONE_MS;
}

async function update(): Promise<void> {
  const answer = await fetch(`/api/actions?limit=${MOST_LOOKED_AT}`).catch(() => null);
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
