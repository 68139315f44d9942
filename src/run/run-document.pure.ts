import { boundedLine } from '../infra/values/bounded.pure.ts';
import {
  fieldsOf,
  isMissing,
  isObject,
  readClearDate,
  readDate,
  readInteger,
  readNumber,
} from '../infra/values/bson-values.pure.ts';
import {
  absentOr,
  jsonOf,
  LONGEST_TEXT,
  optionalCount,
  optionalDate,
  optionalString,
  readCounts,
  shownText,
} from './leaves.pure.ts';
import { readOwnFields } from './own-fields.pure.ts';
import { readDaq } from './run-daq.pure.ts';
import { readData, readDeletedData, readLiveLocation } from './run-entries.pure.ts';
import { averageRate, maximalRate } from './run-rate.pure.ts';
import type {
  BootstraxFields,
  FieldNotes,
  FieldProblem,
  ParsedRun,
  RunState,
} from './run-shape.pure.ts';
import { OUTCOMES, RUN_STATES } from './run-shape.pure.ts';
import type { Ownership, StoredRun } from './stored-run.pure.ts';
import { readComments, readTags } from './tags.pure.ts';

const LONGEST_REASON = 50_000;
/** Longest list of problems of one document: nobody corrects more at a time. */
const MOST_PROBLEMS = 20;
/** Stands for a status that is no text: another program wrote it. */
const FOREIGN_STATUS = '(not text)';
/** Stands for a state of restrax that cannot be read. */
const UNKNOWN_RESTRAX = 'of unknown state';

const UNTOUCHED: BootstraxFields = {
  state: null,
  host: null,
  time: null,
  startedProcessing: null,
  reason: null,
  failures: 0,
  nextRetry: null,
  attempt: null,
  outcome: null,
  uncounted: 0,
  holdersLost: 0,
};

/**
 * The one reader of run documents, as the database driver or Extended JSON gives them. It reads every
 * field that any part of the program uses, typed to the leaf. Missing and unknown fields are fine. A
 * fault that prevents processing is a problem, named by its dotted path. A fault whose meaning is clear,
 * or in a field that is not needed, is an oddity and stops nothing. Never throws.
 */
export function readRun(document: unknown): StoredRun {
  try {
    return isObject(document) ? readFields(document) : unreadable('is not an object');
  } catch {
    // Only an object that is no plain data (a getter that throws, a revoked proxy) comes here.
    return unreadable('cannot be read');
  }
}

/** Whether the run can be processed with its document as it is. */
export function checkRun(stored: StoredRun): ParsedRun {
  const { number, start, problems, oddities, bootstrax, tags } = stored;
  if (problems.length > 0 || number === null || start === null) {
    return { kind: 'malformed', malformed: { number, problems, oddities, bootstrax, tags } };
  }
  const { detectors, end, status, liveLocation, daq, rateMBps } = stored;
  return {
    kind: 'run',
    run: {
      number,
      runId: String(number).padStart(6, '0'),
      mode: stored.mode ?? '',
      data: stored.data.flatMap(({ type, host, location }) =>
        type === null ? [] : { type, host: host ?? '', location },
      ),
      ...{ detectors, start, end, status, tags, bootstrax, liveLocation, daq, rateMBps, oddities },
    },
  };
}

/** Reads a document and checks it. */
export function parseRun(document: unknown): ParsedRun {
  return checkRun(readRun(document));
}

function unreadable(problem: string): StoredRun {
  return { ...readFields({}), problems: [{ field: '(document)', problem }], oddities: [] };
}

function readFields(raw: Record<string, unknown>): StoredRun {
  const problems: FieldProblem[] = [];
  const oddities: FieldProblem[] = [];
  const notes: FieldNotes = {
    stop: (field, problem, value) => {
      note(problems, field, problem);
      return value;
    },
    odd: (field, problem, value) => {
      note(oddities, field, problem);
      return value;
    },
  };
  const ownership = readOwnership(raw);
  const number = readRunNumber(raw.number, notes);
  const bootstrax = readBootstrax(raw.bootstrax, notes);
  const start = readStart(raw.start, notes);
  const data = readData(raw.data, notes);
  const tags = readTags(raw.tags);
  const stored: StoredRun = {
    ...{ ownership, number, bootstrax, start, data },
    mode: readMode(raw.mode, notes),
    detectors: readDetectors(raw.detectors, notes),
    end: optionalDate(raw.end, 'end', notes),
    status: isMissing(raw.status) ? null : readStatus(raw.status, notes),
    statusText: shownText(raw.status),
    restrax: readRestrax(raw.restrax),
    tags: tags.names,
    namedTags: tags.named,
    tagNotes: tags.notes,
    comments: readComments(raw.comments),
    stateText: shownText(ownership.state),
    hasOddCount: isOddCount(fieldsOf(raw.bootstrax).n_failures),
    own: readOwnFields(raw.bootstrax),
    deletedData: readDeletedData(raw.deleted_data),
    liveLocation: readLiveLocation(raw.data, bootstrax, notes),
    daq: readDaq(raw.daq_config, notes),
    rateMBps: maximalRate(raw.rate, notes),
    averageRateMBps: averageRate(raw.rate),
    problems,
    oddities,
  };
  for (const { field, problem } of tags.oddities) note(oddities, field, problem);
  return stored;
}

function note(list: FieldProblem[], field: string, problem: string): void {
  if (list.length >= MOST_PROBLEMS) return;
  list.push({
    field: boundedLine(field, LONGEST_TEXT),
    problem: boundedLine(problem, LONGEST_TEXT),
  });
}

function readOwnership(raw: Record<string, unknown>): Ownership {
  const { state = null, host = null, time = null, attempt = null } = fieldsOf(raw.bootstrax);
  return { number: raw.number, state, host, time, attempt };
}

function isOddCount(count: unknown): boolean {
  return !isMissing(count) && readNumber(count) === null;
}

function readRestrax(restrax: unknown): string | null {
  return isMissing(restrax) ? null : (shownText(fieldsOf(restrax).state) ?? UNKNOWN_RESTRAX);
}

function readRunNumber(value: unknown, { stop }: FieldNotes): number | null {
  const number = readInteger(value);
  if (number !== null && number >= 0) return number;
  return stop('number', absentOr(value, 'is not a non-negative integer'), null);
}

function readStart(value: unknown, { stop, odd }: FieldNotes): Date | null {
  const start = readDate(value);
  if (start !== null) return start;
  const clear = readClearDate(value);
  return clear === null
    ? stop('start', absentOr(value, 'is not a date'), null)
    : odd('start', 'is text, not a date', clear);
}

/** As the reference, which searches the modes it knows in whatever text the value makes. */
function readMode(value: unknown, { odd }: FieldNotes): string | null {
  if (isMissing(value)) return null;
  if (typeof value === 'string') return boundedLine(value, LONGEST_TEXT);
  return odd('mode', 'is not a string', boundedLine(jsonOf(value), LONGEST_TEXT));
}

function readStatus(value: unknown, { odd }: FieldNotes): string {
  return typeof value === 'string'
    ? boundedLine(value, LONGEST_TEXT)
    : odd('status', 'is not a string', FOREIGN_STATUS);
}

function readDetectors(value: unknown, { stop, odd }: FieldNotes): readonly string[] {
  const problem = absentOr(value, 'is not an array of strings');
  const isName = (item: unknown): item is string => typeof item === 'string' && item !== '';
  if (typeof value === 'string') {
    const names = boundedLine(value, LONGEST_TEXT)
      .split(/[\s,;]+/)
      .filter(isName);
    return names.length > 0
      ? odd('detectors', 'is text, not an array', names)
      : stop('detectors', problem, []);
  }
  if (!Array.isArray(value)) return stop('detectors', problem, []);
  const names = value.filter(isName);
  if (names.length === value.length) return names;
  return names.length > 0
    ? odd('detectors', 'has elements that are no names', names)
    : stop('detectors', problem, []);
}

function readBootstrax(value: unknown, notes: FieldNotes): BootstraxFields {
  if (isMissing(value)) return UNTOUCHED;
  if (!isObject(value)) return notes.stop('bootstrax', 'is not an object', UNTOUCHED);
  const at = (name: string) => `bootstrax.${name}`;
  const state = readState(value.state, notes);
  // Only a failed run waits for a time; if that cannot be read, no retry time is known.
  const askedFailures = readCounts(value.asked_failures);
  const ofRetry = state === 'failed' ? { ...notes, odd: notes.stop } : notes;
  return {
    state,
    host: optionalString(value.host, at('host'), notes),
    time: optionalDate(value.time, at('time'), notes),
    startedProcessing: optionalDate(value.started_processing, at('started_processing'), notes),
    reason: optionalString(value.reason, at('reason'), notes, LONGEST_REASON),
    failures: optionalCount(value.n_failures, at('n_failures'), notes),
    nextRetry: optionalDate(value.next_retry, at('next_retry'), ofRetry),
    attempt: optionalString(value.attempt, at('attempt'), notes),
    // A later release may write more outcomes: this one reads them as none.
    outcome: OUTCOMES.find((outcome) => outcome === value.outcome) ?? null,
    uncounted: optionalCount(value.uncounted, at('uncounted'), notes),
    holdersLost: optionalCount(value.holders_lost, at('holders_lost'), notes),
    ...(askedFailures.length > 0 ? { askedFailures } : {}),
    ...(value.keep_products === true ? { keepProducts: true } : {}),
    ...(value.reprocessed === true ? { isReprocessed: true } : {}),
    ...(value.wanted_on === 'local' || value.wanted_on === 'slurm'
      ? { wantedOn: value.wanted_on }
      : {}),
    ...(state === 'considering' && typeof value.waits_for === 'string'
      ? { waitsFor: boundedLine(value.waits_for, LONGEST_TEXT) }
      : {}),
  };
}

function readState(value: unknown, { stop }: FieldNotes): RunState | null {
  if (isMissing(value)) return null;
  const state = RUN_STATES.find((known) => known === value);
  return state ?? stop('bootstrax.state', `is not one of null, ${RUN_STATES.join(', ')}`, null);
}
