import { LIVE_DATA } from '../run/no-field.pure.ts';
import { type FieldProblem, type ParsedRun, problemsText, type Run } from '../run/run.pure.ts';
import type { FaultSeen } from '../run/stored-run.pure.ts';
import { adviceFor, adviceText } from './advice.pure.ts';

/**
 * Permanent faults of a run: no retry helps until a person corrects its document or its live data. First
 * raw records are made of all that can be read.
 */

/** Stands for the whole document, which the database refuses to change. */
const WHOLE_DOCUMENT = '(document)';

/** The live data of a run as a host sees it. */
export type LiveLook =
  /** This host cannot see it: not mounted, not readable, or not below its folders of live data. */
  | { kind: 'unseen'; why: string }
  | { kind: 'missing'; path: string }
  | {
      kind: 'folder';
      path: string;
      /** At least one chunk has a file. */
      hasChunks: boolean;
      /** The first chunk has a file: without it strax reads none of the later ones. */
      hasFirst: boolean;
      /** There is a chunk after the first. */
      hasMore: boolean;
      /** The DAQ has written THE_END. */
      ended: boolean;
      /** A text that changes when files come or go. */
      mark: string;
    };

/** A permanent fault: no attempt at the run can succeed. */
export interface Unmendable {
  problems: readonly FieldProblem[];
  /** Some live data can be read: raw records are made of it before the run is set aside. */
  canBeRead: boolean;
}

/** The fault of an end against which coverage cannot be checked; null if it is fine, or still to come. */
export function endProblem(run: Run): FieldProblem | null {
  const { start, end, oddities } = run;
  if (end === null) return oddities.find(({ field }) => field === 'end') ?? null;
  if (end.getTime() > start.getTime()) return null;
  const [from, to] = [start, end].map((date) => date.toISOString());
  return { field: 'end', problem: `is ${to}, which is not after start (${from})` };
}

/** The permanent fault that is known before an attempt; null if there is none. */
export function unmendable(run: Run, live: LiveLook): Unmendable | null {
  const end = isInstant(run, live) ? null : endProblem(run);
  // An unreadable end may be replaced while the run is taken.
  const isEndWrong = end !== null && (run.end !== null || isEnded(live));
  const nothing = nothingToRead(run, live);
  const problems = [...(isEndWrong ? [end] : []), ...(nothing === null ? [] : [nothing])];
  return problems.length === 0 ? null : { problems, canBeRead: nothing === null };
}

/** A run of one chunk may end at its start: then its coverage decides. */
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

/** Errors in reading live data that every attempt meets. */
const THREADS = /Bad data for .*\. Got |\bwrote \d+( files into .*)?, expected/;

/** The permanent fault behind the error of an attempt; null if another attempt may succeed. */
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

/** Message of strax when its context forbids to make a data type. */
const FORBIDDEN = /your context specifies (no new data can be created|it cannot be created)/;

/** Whether the configuration of this host makes every attempt fail. */
export function isOfConfiguration({ type, message }: { type: string; message: string }): boolean {
  return type === 'UnknownTarget' || (type === 'DataNotAvailable' && FORBIDDEN.test(message));
}

/** All fields on which an attempt depends, as text: it changes when a person corrects the document. */
export function documentMark({ mode, detectors, start, end, liveLocation, daq }: Run): string {
  return JSON.stringify([mode, detectors, start, end, liveLocation, daq]);
}

export interface SetAside {
  /** `bootstrax.malformed`. */
  problems: readonly { field: string }[];
  /** Null where document and live data themselves show whether the fault is still there. */
  faultSeen: FaultSeen | null;
  /** The document as it is now. */
  parsed: ParsedRun;
  /** The live data as it is now. */
  live: LiveLook;
}

/**
 * Whether the fault of a run that was set aside is corrected, so that another attempt may succeed. In
 * doubt the run stays set aside.
 */
export function isMended({ problems, faultSeen, parsed, live }: SetAside): boolean {
  if (parsed.kind === 'malformed' || problems.length === 0) return false;
  if (problems.some(({ field }) => field === WHOLE_DOCUMENT)) return false;
  const { run } = parsed;
  if (live.kind === 'unseen' || run.bootstrax.state !== 'failed') return false;
  const now = unmendable(run, live);
  if (now !== null) {
    // Nothing could be read before, and something can now: raw records are made of it.
    return now.canBeRead && faultSeen === null && problems.some(({ field }) => field === LIVE_DATA);
  }
  if (faultSeen === null) return true;
  return faultSeen.document !== documentMark(run) || faultSeen.live !== markOf(live);
}

/** Mark of the live data for `FaultSeen`. */
export function markOf(live: LiveLook): string {
  return live.kind === 'folder' ? live.mark : live.kind;
}

/** Why a run is set aside, without a full stop. `label` names the run. */
export function unmendableText(label: string, { problems, canBeRead }: Unmendable): string {
  const made = canBeRead ? 'what can be read of it is made and kept, and ' : '';
  return `${label} is set aside, because no other attempt can succeed: ${problemsText(problems)}; ${made}its live data stays`;
}

/** What a person has to do about a permanent fault. */
export function howToMend(run: number, problems: readonly FieldProblem[]): string {
  const isOfData = problems.every(({ field }) => field === LIVE_DATA);
  const advice = adviceFor(isOfData ? 'live_data' : 'document');
  return adviceText(advice, { name: String(run), isGivenUp: false });
}
