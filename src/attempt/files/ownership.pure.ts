import { posix } from 'node:path';

import type { StoredRun } from '../../run/stored-run.pure.ts';

/** What a product folder says of who made it. */
export type FolderWord =
  /** `document`: `_id` of the run document as text; null where the plan did not name it. */
  | { kind: 'says'; attempt: string; document: string | null; host: string }
  /** Readable, and without a word: the reference's, or of a release before 0.1.1. */
  | { kind: 'silent' }
  /** Its metadata is missing or unreadable, as after a power cut. Who writes one has written that first. */
  | { kind: 'torn' };

/** A product folder as it lies in the output folder. */
export interface FolderAt {
  /** Final absolute path. */
  location: string;
  /** It still has its temporary name. */
  unfinished: boolean;
  word: FolderWord;
}

/** Who has a run, by its document as it is now. */
export interface RunNow {
  document: string;
  state: string | null;
  host: string | null;
  /** The attempt that holds it: of a done run, the one that makes what it lacks. */
  holder: string | null;
  /** Attempts whose products a done run has. */
  madeBy: readonly string[];
  /**
   * The last attempt of ours at a done run, where others have made it done since the run failed: the
   * reference copies the id along. Of what it has made the run has only what it lists.
   */
  failed: string | null;
  listed: readonly { host: string; location: string }[];
}

/** The attempt for which folders are removed. */
export interface Remover {
  /** `_id` of its run document as text; null where its plan did not name it. */
  document: string | null;
  attempt: string;
  host: string;
  /**
   * `before_attempt`: it holds the run and makes room for its own products; `take_back`: it removes
   * what it has made itself; `replaced`: what lay there before, and stayed until its own was there.
   */
  purpose: 'before_attempt' | 'take_back' | 'replaced';
  /**
   * Final paths of folders that this attempt is known to have begun, whatever they say; before an
   * attempt, those that the run listed for this host.
   */
  known: readonly string[];
  /** It was made by an earlier release: its folders say nothing. */
  silent: boolean;
}

export type MayRemove =
  | { kind: 'no'; why: string }
  | { kind: 'yes' }
  /** Only if nobody writes to it: nothing of its maker is known but the folder. */
  | { kind: 'unless_held'; maker: 'unknown' | 'other_host' | 'torn' };

/** What `outcome` says of a run that was to be tried again, or not any more, when its last attempt had ended. */
const WITHOUT_PRODUCTS: readonly unknown[] = ['failed', 'requeued', 'given_up'];

/** `document` is its `_id` as text. */
export function runNow(document: string, { bootstrax, own, data }: StoredRun): RunNow {
  const { state, host, attempt } = bootstrax;
  const isDone = state === 'done';
  const last = own.lastAttempt;
  const hasFailed = WITHOUT_PRODUCTS.includes(bootstrax.outcome);
  return {
    ...{ document, state, host },
    holder: holderOf(state, attempt, own.debt?.attempt ?? null),
    madeBy: isDone ? [hasFailed ? null : last, own.debtPaid].filter((each) => each !== null) : [],
    failed: isDone && hasFailed ? last : null,
    listed: data.flatMap((entry) =>
      entry.location === null
        ? []
        : [{ host: entry.host ?? '', location: normalized(entry.location) }],
    ),
  };
}

function holderOf(state: string | null, attempt: string | null, ofDebt: string | null) {
  if (state === 'considering' || state === 'busy') return attempt;
  return state === 'done' ? ofDebt : null;
}

/**
 * May this folder be removed for this attempt? The one rule for every removal of products:
 * `documents` are all with the run's number, read right before.
 */
export function mayRemove(
  folder: FolderAt,
  documents: readonly RunNow[],
  remover: Remover,
): MayRemove {
  const run = ownRun(documents, remover);
  if (run === null) return no('its run document is gone, or not the only one of its number');
  const { word } = folder;
  const others = documents.filter((document) => document !== run);
  const another = others.find((document) => isListedBy(document, folder));
  // No document lists what is unfinished; whose that is it says itself.
  if (another !== undefined && !(folder.unfinished && word.kind === 'says')) {
    return no(`run document ${another.document} lists it`);
  }
  if (word.kind === 'says' && others.some((other) => isOf(other, word.attempt))) {
    return no(`attempt ${word.attempt} made it, and has another run document of this number`);
  }
  if (remover.purpose === 'replaced') return isReplaced(folder, run, remover);
  if (word.kind === 'says') return wordAllows(folder, word, run, remover);
  if (others.length > 0) return no('another run document has the same number');
  return withoutWord(folder, word, run, remover);
}

type Said = Extract<FolderWord, { kind: 'says' }>;

function wordAllows(folder: FolderAt, word: Said, run: RunNow, remover: Remover): MayRemove {
  const maker = `attempt ${word.attempt} on ${word.host}`;
  const isOwn = word.attempt === remover.attempt;
  const holds = run.holder === remover.attempt;
  if (word.document !== null && word.document !== run.document) {
    return no(`${maker} made it for run document ${word.document}`);
  }
  if (word.attempt === run.holder && !isOwn) return no(`${maker} made it and has the run now`);
  const kept = run.state === 'done' ? keptByDone(folder, word, run, remover) : null;
  if (kept !== null) return no(kept);
  if (isOwn) return { kind: 'yes' };
  if (remover.purpose === 'take_back')
    return no(`${maker} made it, not attempt ${remover.attempt}`);
  if (!holds) return no(`attempt ${remover.attempt} does not have the run any more`);
  return word.host === remover.host
    ? { kind: 'yes' }
    : { kind: 'unless_held', maker: 'other_host' };
}

/** Why a done run keeps a folder; null if it does not. */
function keptByDone(
  { location, unfinished }: FolderAt,
  word: Said,
  run: RunNow,
  remover: Remover,
): string | null {
  const holds = run.holder === remover.attempt;
  if (run.madeBy.includes(word.attempt) && !(unfinished && holds)) {
    return `attempt ${word.attempt} on ${word.host} made it, and the run is done with it`;
  }
  const listed = run.listed.some(
    (entry) =>
      entry.location === normalized(location) &&
      (entry.host === word.host || entry.host === remover.host),
  );
  // Whoever took the run over lists its own folder, which has its own word.
  const isTakenOver =
    word.attempt === remover.attempt && run.host !== remover.host && run.failed !== word.attempt;
  return listed && !unfinished && !isTakenOver ? 'the run is done and lists it' : null;
}

/** `known`: what the run listed when the attempt began, and lists no more if its own has replaced it. */
function isReplaced(folder: FolderAt, run: RunNow, { attempt, known }: Remover): MayRemove {
  const { location, unfinished, word } = folder;
  if (unfinished || !known.some((each) => normalized(each) === normalized(location))) {
    return no(`it is none of those that attempt ${attempt} replaces`);
  }
  if (run.state !== 'done' || !run.madeBy.includes(attempt)) {
    return no(`the run is not done with what attempt ${attempt} has made`);
  }
  if (isListedBy(run, folder)) return no('the run lists it');
  if (word.kind === 'says' && run.madeBy.includes(word.attempt)) {
    return no(`attempt ${word.attempt} made it, and the run is done with it`);
  }
  if (word.kind === 'says' && (word.document ?? run.document) !== run.document) {
    return no(`attempt ${word.attempt} made it for run document ${word.document}`);
  }
  return { kind: 'yes' };
}

function withoutWord(
  folder: FolderAt,
  word: Exclude<FolderWord, { kind: 'says' }>,
  run: RunNow,
  remover: Remover,
): MayRemove {
  const { location, unfinished } = folder;
  if (run.state === 'done' && !unfinished && isListedBy(run, folder)) {
    return no('the run is done and lists it');
  }
  const holds = run.holder === remover.attempt;
  if (isHeld(run) && !holds)
    return no('another attempt has the run now, and the folder has no word');
  const known = remover.known.some((each) => normalized(each) === normalized(location));
  if (known && (word.kind === 'torn' || remover.silent)) return { kind: 'yes' };
  if (remover.purpose === 'take_back' || !holds) return no('it does not say which attempt made it');
  // Who writes one has written its metadata first. That a cut removal has withdrawn its entry already
  // is not to keep the run from being processed.
  if (word.kind === 'torn') return { kind: 'unless_held', maker: 'torn' };
  const listedHere = run.listed.some(
    (entry) => entry.host === remover.host && entry.location === normalized(location),
  );
  if (!unfinished && !listedHere && !known) {
    return no('it does not say which attempt made it, and the run does not list it for this host');
  }
  return { kind: 'unless_held', maker: 'unknown' };
}

function isHeld({ state, holder }: RunNow): boolean {
  return state === 'considering' || state === 'busy' || holder !== null;
}

/** When a folder was changed last, and by whom it is open. */
export interface FolderActivity {
  /** By this machine's clock, ms since 1970. */
  newestMs: number;
  openBy: readonly number[];
}

/**
 * Why a folder may still be written to, or null. `quietSeconds`: how long nothing below it has to be
 * unchanged. A time far in the future is a clock's fault and says nothing.
 */
export function heldBecause(
  { newestMs, openBy }: FolderActivity,
  nowMs: number,
  quietSeconds: number,
): string | null {
  if (openBy.length > 0) return `process ${openBy.join(', ')} has files of it open`;
  const seconds = (nowMs - newestMs) / 1000;
  if (Math.abs(seconds) >= quietSeconds) return null;
  return `it was changed ${Math.max(0, Math.round(seconds))} s ago, which has to be ${quietSeconds} s`;
}

function ownRun(documents: readonly RunNow[], { document }: Remover): RunNow | null {
  if (document !== null) return documents.find((each) => each.document === document) ?? null;
  return documents.length === 1 ? (documents[0] ?? null) : null;
}

function isOf({ holder, madeBy, failed }: RunNow, attempt: string): boolean {
  return holder === attempt || failed === attempt || madeBy.includes(attempt);
}

/** By its name: another host may see the same folder at another path. */
function isListedBy({ listed }: RunNow, { location }: FolderAt): boolean {
  const name = posix.basename(location);
  return listed.some((entry) => posix.basename(entry.location) === name);
}

function normalized(path: string): string {
  return posix.normalize(path).replace(/(?<=.)\/+$/, '');
}

function no(why: string): MayRemove {
  return { kind: 'no', why };
}
