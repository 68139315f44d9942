import { randomBytes } from 'node:crypto';

import { boundedLine, boundedText } from '../../infra/values/bounded.pure.ts';
import type { ActionKind } from './action-kinds.pure.ts';
import type { Asking, RunActionKind } from './run-effects.pure.ts';
import type { ActionAbout, ActionDocument } from './action.port.ts';
import { lookAtHost } from './host-actions.ts';
import { acknowledge, lookAtItem } from './item-actions.ts';
import { askingOf, carryOutOnRun, changedText, lookAtRun, type RunLook } from './run-actions.ts';
import type { Ask, HostTarget, Look, Target, Tools } from './action.ts';

/** Characters. */
const LONGEST_NAME = 200;
const LONGEST_REASON = 1000;
const ID_BYTES = 12;
const MS_PER_HOUR = 3_600_000;

/** At what each kind of action can be aimed. */
export const AIMED_AT: Readonly<Record<ActionKind, Target['kind']>> = {
  retry: 'run',
  hold: 'run',
  release: 'run',
  abandon: 'run',
  reprocess: 'run',
  fail: 'run',
  renumber: 'run',
  drain: 'host',
  undrain: 'host',
  acknowledge: 'item',
};

/** What an action would do to a target as things stand. Writes nothing. */
export async function preview(
  tools: Tools,
  kind: ActionKind,
  target: Target,
  options: Asking = {},
): Promise<Look> {
  const found = await look(tools, kind, target, options);
  return typeof found === 'string'
    ? { seen: '', before: null, possible: false, effect: found }
    : found;
}

/** An action as it is kept, and what its asker is told. */
export interface Acted {
  action: ActionDocument;
  message: string;
}

/**
 * Carries out one action, or refuses it; either is in the audit, which is written first. What a
 * host has to do is left to that host: the action is `requested` until it has noticed.
 */
export async function act(tools: Tools, asked: Ask): Promise<Acted> {
  const { store } = tools;
  const ask = bounded(asked);
  const { kind, target, by, via, reason, hours } = ask;
  const found = await look(tools, kind, target, askingOf(ask));
  const seen = typeof found === 'string' ? '' : found.seen;
  const why =
    typeof found === 'string'
      ? found
      : ask.seen !== null && ask.seen !== seen
        ? changedText({ seen: ask.seen }, found)
        : found.possible
          ? null
          : found.effect;
  const id = newId();
  await store.actions.request({
    ...{ id, kind, by, via, reason, hours, ...aboutOf(target) },
    saw: ask.seen ?? seen,
    before: typeof found === 'string' ? null : found.before,
    awaits: target.kind === 'host' && why === null ? target.host : null,
  });
  if (typeof found === 'string') return refused(tools, id, found);
  if (why !== null) return refused(tools, id, why);
  switch (target.kind) {
    case 'host':
      await tools.nudge(target.host);
      return told(tools, id, `${target.host} is asked. ${found.effect}`);
    case 'item': {
      const { item } = target;
      const landed = await acknowledge(tools, ask, { item, id, seen });
      if (landed === 'changed') {
        return refused(tools, id, 'somebody else has acknowledged it meanwhile; look again');
      }
      const message = `${item} is acknowledged by ${by}.`;
      await store.actions.done(id, { message, expires: hours === null ? null : { hours } });
      return told(tools, id, message);
    }
    case 'run': {
      const answer = await carryOutOnRun(
        tools,
        { ask, kind: kind as RunActionKind, target, id },
        found as RunLook,
      );
      if (answer.kind === 'changed') return refused(tools, id, answer.message);
      const { message, after, awaits } = answer;
      if (awaits === null) await store.actions.done(id, { message, after });
      else {
        await store.actions.awaitHost(id, { ...awaits, message, after });
        await tools.nudge(awaits.host);
      }
      return told(tools, id, message);
    }
  }
}

/**
 * The same for a host at which the asker can carry it out himself, whether it was seen otherwise or
 * not. Whoever dies in between has asked its host, which finds the request.
 */
export async function actByOneself(
  tools: Tools,
  asked: Ask & { target: HostTarget },
  carryOut: (id: string, expires: Date | null) => Promise<{ ok: boolean; message: string }>,
): Promise<Acted> {
  const { store } = tools;
  const { kind, target, by, via, reason, hours } = bounded(asked);
  const { host } = target;
  const [{ seen: saw, before }, now] = await Promise.all([
    lookAtHost(tools, kind === 'undrain' ? kind : 'drain', host),
    store.serverTime(),
  ]);
  const expires = hours === null ? null : new Date(now.getTime() + hours * MS_PER_HOUR);
  const id = newId();
  await store.actions.request({
    ...{ id, kind, by, via, reason, hours, ...aboutOf(target), saw, before, awaits: host },
  });
  await store.actions.seen(id, host);
  const { ok, message } = await carryOut(id, expires);
  if (!ok) return refused(tools, id, message);
  await store.actions.done(id, { message, expires });
  return told(tools, id, message);
}

async function look(
  tools: Tools,
  kind: ActionKind,
  target: Target,
  options: Asking,
): Promise<Look | string> {
  if (AIMED_AT[kind] !== target.kind) return `${kind} is for a ${AIMED_AT[kind]}`;
  switch (target.kind) {
    case 'run':
      return lookAtRun(tools, kind as RunActionKind, target, options);
    case 'host':
      return lookAtHost(tools, kind === 'undrain' ? kind : 'drain', target.host);
    case 'item':
      return lookAtItem(tools, target.item);
  }
}

/** Words of a person go into documents and logs. */
function bounded<T extends Ask>(ask: T): T {
  const { by, reason } = ask;
  return { ...ask, by: boundedLine(by, LONGEST_NAME), reason: boundedText(reason, LONGEST_REASON) };
}

function newId(): string {
  return randomBytes(ID_BYTES).toString('hex');
}

async function refused(tools: Tools, id: string, why: string): Promise<Acted> {
  await tools.store.actions.refuse(id, why);
  return told(tools, id, why);
}

async function told({ store }: Tools, id: string, message: string): Promise<Acted> {
  const action = await store.actions.get(id);
  if (action === null) throw new Error(`the action ${id} has vanished from the database`);
  return { action, message };
}

export function aboutOf(target: Target): ActionAbout {
  return {
    run: target.kind === 'run' ? target.run : null,
    host: target.kind === 'host' ? target.host : null,
    item: target.kind === 'item' ? target.item : null,
  };
}
