import { problemsText, type FieldProblem, type ParsedRun, type Run } from '../run/run.pure.ts';
import type { FaultSeen } from '../run/stored-run.pure.ts';

/**
 * Faults of a run that no retry mends: a person has to change its document or its live data. Whatever
 * can be read of it is made first, as raw records.
 */

/** Stands for a field where the fault is not in the document. */
export const LIVE_DATA = '(live data)';
/** The database refuses the document itself: nobody knows when it would take it. */
const WHOLE_DOCUMENT = '(document)';

/** What a host sees of the live data of a run. */
export type LiveLook =
  /** This host cannot tell: not mounted, not readable, not below its folders of live data. */
  | { kind: 'unseen'; why: string }
  | { kind: 'missing'; path: string }
  | {
      kind: 'folder';
      path: string;
      /** Some chunk has at least one file. */
      hasChunks: boolean;
      /** The first of all chunks has: nothing that comes later is read without it. */
      hasFirst: boolean;
      /** There is a chunk behind the first. */
      hasMore: boolean;
      /** The DAQ has written that it writes nothing more. */
      ended: boolean;
      /** Changes when files come or go. */
      mark: string;
    };

/** What keeps every attempt at a run from succeeding. */
export interface Unmendable {
  problems: readonly FieldProblem[];
  /** There is something to read: raw records are made of it before the run is set aside. */
  canBeRead: boolean;
}

/** The end of the run as nobody can check coverage against it; null if it is fine, or still to come. */
export function endProblem(run: Run): FieldProblem | null {
  const { start, end, oddities } = run;
  if (end === null) return oddities.find(({ field }) => field === 'end') ?? null;
  if (end.getTime() > start.getTime()) return null;
  const [from, to] = [start, end].map((date) => date.toISOString());
  return { field: 'end', problem: `is ${to}, which is not after start (${from})` };
}

/** Before an attempt: what no attempt could mend; null if there is nothing of the kind. */
export function unmendable(run: Run, live: LiveLook): Unmendable | null {
  const end = isInstant(run, live) ? null : endProblem(run);
  // An unreadable end may be replaced while the run is taken.
  const isEndWrong = end !== null && (run.end !== null || isEnded(live));
  const nothing = nothingToRead(run, live);
  const problems = [...(isEndWrong ? [end] : []), ...(nothing === null ? [] : [nothing])];
  return problems.length === 0 ? null : { problems, canBeRead: nothing === null };
}

/** A run of one chunk may well have ended in the instant in which it began: its coverage tells. */
function isInstant({ start, end }: Run, live: LiveLook): boolean {
  return end?.getTime() === start.getTime() && live.kind === 'folder' && !live.hasMore;
}

function isEnded(live: LiveLook): boolean {
  return live.kind === 'folder' && live.ended;
}

/** While a run is taken its live data may still come. */
function nothingToRead(run: Run, live: LiveLook): FieldProblem | null {
  const problem = (text: string) => ({ field: LIVE_DATA, problem: text });
  if (run.liveLocation === null) {
    return { field: 'data', problem: "has no element of type 'live' any more" };
  }
  if (live.kind === 'unseen') return null;
  const isOver = run.end !== null || isEnded(live) || endProblem(run) !== null;
  if (!isOver) return null;
  if (live.kind === 'missing') {
    return run.end === null ? null : problem(`the run has ended, and ${live.path} is no folder`);
  }
  const { path, hasChunks, hasFirst, ended } = live;
  if (!hasChunks && (ended || run.end !== null)) {
    const what = ended ? 'THE_END without a chunk that has files' : 'no chunk that has files';
    return problem(`the run has ended, and there is ${what} in ${path}`);
  }
  if (!hasFirst && ended) {
    return problem(`the first chunk is missing in ${path}: strax reads none of those after it`);
  }
  return null;
}

/** Raised before or by the reading of live data: another attempt reads the same. */
const THREADS = /Bad data for .*\. Got |\bwrote \d+( files into .*)?, expected/;

/** What an attempt has found that no other would find otherwise; null if another may. */
export function unmendableError(
  { type, message, traceback }: { type: string; message: string; traceback: string },
  plan: { salvage: boolean; compressor: unknown },
): FieldProblem | null {
  if (plan.salvage && type === 'NothingReadable') return { field: LIVE_DATA, problem: message };
  if (type === 'ValueError' && THREADS.test(message)) {
    return {
      field: 'daq_config.processing_threads',
      problem: `does not fit the files of the live data: ${message}`,
    };
  }
  const { compressor } = plan;
  const text = `${message}\n${traceback}`;
  if (typeof compressor === 'string' && text.includes(`KeyError: '${compressor}'`)) {
    return {
      field: 'daq_config.compressor',
      problem: `is '${compressor}', which strax does not know`,
    };
  }
  return null;
}

/** What strax says where its context forbids to make something, or does not know it. */
const FORBIDDEN = /your context specifies (no new data can be created|it cannot be created)/;

/** Is it the configuration of this host that makes every attempt fail? */
export function isOfConfiguration({ type, message }: { type: string; message: string }): boolean {
  return type === 'UnknownTarget' || (type === 'DataNotAvailable' && FORBIDDEN.test(message));
}

/** All of a document that an attempt depends on; it changes when a person mends the document. */
export function documentMark({ mode, detectors, start, end, liveLocation, daq }: Run): string {
  return JSON.stringify([mode, detectors, start, end, liveLocation, daq]);
}

export interface SetAside {
  /** `bootstrax.malformed`. */
  problems: readonly { field: string }[];
  /** Null where document and live data show by themselves whether the fault is still there. */
  faultSeen: FaultSeen | null;
  /** The document as it is now. */
  parsed: ParsedRun;
  /** The live data as it is now. */
  live: LiveLook;
}

/**
 * A run that was set aside: is its fault gone, so that another attempt does not have to end the same?
 * Whatever cannot be told leaves it where it is.
 */
export function isMended({ problems, faultSeen, parsed, live }: SetAside): boolean {
  if (parsed.kind === 'malformed' || problems.length === 0) return false;
  if (problems.some(({ field }) => field === WHOLE_DOCUMENT)) return false;
  const { run } = parsed;
  if (live.kind === 'unseen' || run.bootstrax.state !== 'failed') return false;
  const now = unmendable(run, live);
  if (now !== null) {
    // Nothing could be read of it then: raw records are made now.
    return now.canBeRead && faultSeen === null && problems.some(({ field }) => field === LIVE_DATA);
  }
  if (faultSeen === null) return true;
  return faultSeen.document !== documentMark(run) || faultSeen.live !== markOf(live);
}

/** Of the live data, for `FaultSeen`. */
export function markOf(live: LiveLook): string {
  return live.kind === 'folder' ? live.mark : live.kind;
}

/** Why a run is set aside, without a full stop. `label` names it. */
export function unmendableText(label: string, { problems, canBeRead }: Unmendable): string {
  const made = canBeRead ? 'what can be read of it is made and kept, and ' : '';
  return `${label} is set aside, since no other attempt can go better: ${problemsText(problems)}; ${made}its live data stays`;
}

/** What a person does about it. */
export function howToMend(run: number): string {
  return `Mend what is named: it is tried again by itself when its document or its live data has changed. Or use 'bootstrax retry ${run}'`;
}
