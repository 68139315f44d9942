import { boundedLine } from '../../infra/values/bounded.pure.ts';
import type { Store } from '../../ports/store.ts';
import { documentId, idText } from '../../run/document-id.ts';
import { readRun } from '../../run/run.pure.ts';
import type { RunDocument } from '../../run/run-document.port.ts';
import type { ActionDocument } from './action.port.ts';
import {
  isActionKind,
  isRunAction,
  type RunActionKind,
  runActionRow,
} from './action-table.pure.ts';
import { ownerOf, snapshot } from './run-actions.ts';
import { isHeld } from './seen.pure.ts';

/** After this time the requesting process has carried out its action, or is dead. */
const RECOVER_AFTER_SECONDS = 60;

/** The part of the environment that is needed. */
interface Log {
  warn: (fields: object, message: string) => void;
  error: (fields: object, message: string) => void;
}

/** Whether an action is so old that its process must have died between two writes. */
export function isStranded({ state, awaits, requested }: ActionDocument, now: Date): boolean {
  const seconds = (now.getTime() - requested.getTime()) / 1000;
  return state === 'requested' && awaits === null && seconds >= RECOVER_AFTER_SECONDS;
}

/**
 * Records the result of an action whose process died before it could do so: done if its write has
 * landed, else refused. The action is never carried out this late: the person may have decided anew.
 */
export async function recover(store: Store, action: ActionDocument, log: Log): Promise<void> {
  const { id, kind, by } = action;
  if (!isActionKind(kind)) {
    log.error({ event: 'action.unknown', action: id, kind }, unknownText(kind));
    await store.actions.refuse(id, unknownText(kind));
    return;
  }
  const found = await whatBecameOf(store, action);
  log.warn(
    { event: 'action.recovered', action: id },
    `${kind}, requested by ${by}, had no recorded result: ${found === null ? 'it was not carried out' : 'it was carried out'}`,
  );
  if (found === null) {
    await store.actions.refuse(
      id,
      'the process that requested it died before it was carried out: nothing was changed; request it again',
    );
  } else if (found.awaits === null) {
    await store.actions.done(id, { message: MESSAGE, after: found.after });
  } else {
    await store.actions.awaitHost(id, { ...found.awaits, message: MESSAGE, after: found.after });
  }
}

/** Why an action of another release is not carried out here. */
export function unknownText(kind: string): string {
  return `"${boundedLine(kind, 100)}" is no action that this release of bootstrax knows: nothing was done by this host`;
}

const MESSAGE =
  'It is carried out; the process that requested it died before it could record this.';

interface Became {
  after: Record<string, unknown> | null;
  awaits: { host: string; attempt: string } | null;
}

async function whatBecameOf(store: Store, action: ActionDocument): Promise<Became | null> {
  const { id, kind, run, item, before } = action;
  if (item !== null) {
    const isNewest = (await store.actions.standing()).some((each) => each.action === id);
    return isNewest ? { after: null, awaits: null } : null;
  }
  if (run === null) return null;
  const document = await documentOf(store, run, before?.['document']);
  if (document === null) return null;
  if (
    !isActionKind(kind) ||
    !isRunAction(kind) ||
    !(await isCarriedOut(store, kind, action, document))
  )
    return null;
  const stops = runActionRow(kind).stopsAttempt === true;
  return { after: snapshot(document), awaits: stops ? ownerOf(before ?? {}) : null };
}

async function isCarriedOut(
  store: Store,
  kind: RunActionKind,
  action: ActionDocument,
  document: RunDocument,
): Promise<boolean> {
  switch (runActionRow(kind).trace) {
    case 'hold tag':
      return isHeld(readRun(document));
    case 'no hold tag':
      return !isHeld(readRun(document));
    case 'action id':
      return hasLanded(store, action, document);
    case 'action id or offered debt':
      return (await hasLanded(store, action, document)) || isOffered(store, action);
  }
}

/** The run document of the action, whatever its number is now. */
async function documentOf(store: Store, run: number, id: unknown): Promise<RunDocument | null> {
  const documents = await store.runs.byNumber(run);
  if (typeof id !== 'string') return documents[0] ?? null;
  const found = documents.find((each) => idText(each._id) === id);
  if (found !== undefined) return found;
  const documentOfId = documentId(id);
  return documentOfId === null ? null : store.runs.byId(documentOfId);
}

/** The run carries the id of this action, or carried it at the next action. */
async function hasLanded(
  store: Store,
  { id, run }: ActionDocument,
  document: RunDocument,
): Promise<boolean> {
  if (readRun(document).own.action === id) return true;
  const later = await store.actions.list({ run: run ?? -1, limit: 100 });
  return later.some(({ before }) => before?.['action'] === id);
}

/** Whether the debt of the run was offered by the person of this action. */
async function isOffered(store: Store, { before, by }: ActionDocument): Promise<boolean> {
  const attempt = before?.['last_attempt'];
  if (before?.['state'] !== 'done' || typeof attempt !== 'string') return false;
  const debtor = (await store.attempts.get(attempt)) as { debt?: { by?: string } } | null;
  return debtor?.debt?.by === by;
}
