import { randomBytes } from 'node:crypto';

import { boundedLine, boundedText } from '../../infra/values/bounded.pure.ts';
import type { ActionAbout, ActionDocument } from './action.port.ts';
import type { Ask, HostTarget, Target, TargetState, Tools } from './action.ts';
import {
  type ActionKind,
  actionRow,
  type HostActionKind,
  isHostAction,
  isRunAction,
} from './action-table.pure.ts';
import { readHostTarget } from './host-actions.ts';
import { acknowledge, readItemTarget } from './item-actions.ts';
import {
  askingOf,
  carryOutOnRun,
  changedText,
  readRunTarget,
  type RunAsk,
  type RunTargetState,
} from './run-actions.ts';
import type { Asking } from './run-effects.pure.ts';

const MOST_NAME_CHARACTERS = 200;
const MOST_REASON_CHARACTERS = 1000;
const ID_BYTES = 12;
const MS_PER_HOUR = 3_600_000;

/** What an action would do to a target as things stand. Writes nothing. */
export async function preview(
  tools: Tools,
  kind: ActionKind,
  target: Target,
  options: Asking = {},
): Promise<TargetState> {
  const prepared = await prepare(tools, kind, target, options);
  return typeof prepared === 'string'
    ? { seen: '', before: null, possible: false, effect: prepared }
    : prepared.look;
}

/** An action as it is stored, with the message for the person who requested it. */
export interface Acted {
  action: ActionDocument;
  message: string;
}

/**
 * Carries out one action, or refuses it. Both are recorded, and the record is written first. What a
 * host has to do is left to that host: the action is `requested` until the host has read it.
 */
export async function act(tools: Tools, asked: Ask): Promise<Acted> {
  const { store } = tools;
  const ask = bounded(asked);
  const { kind, target, by, via, reason, hours } = ask;
  const prepared = await prepare(tools, kind, target, askingOf(ask));
  const look = typeof prepared === 'string' ? null : prepared.look;
  const why = typeof prepared === 'string' ? prepared : whyNot(ask, prepared.look);
  const id = newId();
  await store.actions.request({
    ...{ id, kind, by, via, reason, hours, ...aboutOf(target) },
    saw: ask.seen ?? look?.seen ?? '',
    before: look?.before ?? null,
    awaits: target.kind === 'host' && why === null ? target.host : null,
  });
  if (typeof prepared === 'string') return refused(tools, id, prepared);
  return why === null ? prepared.carryOut(ask, id) : refused(tools, id, why);
}

function whyNot({ seen }: Ask, look: TargetState): string | null {
  if (seen !== null && seen !== look.seen) return changedText({ seen }, look);
  return look.possible ? null : look.effect;
}

/**
 * The same for the host of this machine, where the command carries out the action itself, whatever was
 * seen before. If it dies in between, the manager of the host finds the request.
 */
export async function actByOneself(
  tools: Tools,
  asked: Ask & { kind: HostActionKind; target: HostTarget },
  carryOut: (id: string, expires: Date | null) => Promise<{ ok: boolean; message: string }>,
): Promise<Acted> {
  const { store } = tools;
  const { kind, target, by, via, reason, hours } = bounded(asked);
  const { host } = target;
  const [{ seen: saw, before }, now] = await Promise.all([
    readHostTarget(tools, kind, host),
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

/** How a target stands, and what carries the action out once it has been written down. */
interface Prepared {
  look: TargetState;
  carryOut: (ask: Ask, id: string) => Promise<Acted>;
}

/** A text: why nothing can be said of this target. */
async function prepare(
  tools: Tools,
  kind: ActionKind,
  target: Target,
  options: Asking,
): Promise<Prepared | string> {
  const { target: meant } = actionRow(kind);
  if (target.kind === 'run' && isRunAction(kind)) {
    const look = await readRunTarget(tools, kind, target, options);
    if (typeof look === 'string') return look;
    return { look, carryOut: (ask, id) => actOnRun(tools, { ask, kind, target, id }, look) };
  }
  if (target.kind === 'host' && isHostAction(kind)) {
    const look = await readHostTarget(tools, kind, target.host);
    return {
      look,
      carryOut: async (_, id) => {
        await tools.wake(target.host);
        return told(tools, id, `${target.host} is asked. ${look.effect}`);
      },
    };
  }
  if (target.kind === 'item' && target.kind === meant) {
    const { item } = target;
    const look = await readItemTarget(tools, item);
    return {
      look,
      carryOut: (ask, id) => acknowledgeItem(tools, ask, { item, id, seen: look.seen }),
    };
  }
  return `${kind} is for a ${meant}`;
}

async function actOnRun(tools: Tools, asked: RunAsk, look: RunTargetState): Promise<Acted> {
  const { store } = tools;
  const { id } = asked;
  const answer = await carryOutOnRun(tools, asked, look);
  if (answer.kind === 'changed') return refused(tools, id, answer.message);
  const { message, after, awaits } = answer;
  if (awaits === null) await store.actions.done(id, { message, after });
  else {
    await store.actions.awaitHost(id, { ...awaits, message, after });
    await tools.wake(awaits.host);
  }
  return told(tools, id, message);
}

async function acknowledgeItem(
  tools: Tools,
  ask: Ask,
  about: { item: string; id: string; seen: string },
): Promise<Acted> {
  const { item, id } = about;
  const { by, hours } = ask;
  const landed = await acknowledge(tools, ask, about);
  if (landed === 'changed') {
    return refused(tools, id, 'somebody else has acknowledged it meanwhile; look again');
  }
  const message = `${item} is acknowledged by ${by}.`;
  await tools.store.actions.done(id, { message, expires: hours === null ? null : { hours } });
  return told(tools, id, message);
}

/** Limits the text of a person, which goes into documents and logs. */
function bounded<T extends Ask>(ask: T): T {
  const { by, reason } = ask;
  return {
    ...ask,
    by: boundedLine(by, MOST_NAME_CHARACTERS),
    reason: boundedText(reason, MOST_REASON_CHARACTERS),
  };
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
