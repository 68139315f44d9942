import { boundedLine } from '../infra/values/bounded.pure.ts';
import {
  isMissing,
  isObject,
  readClearDate,
  readClearNumber,
  readDate,
  readInteger,
} from '../infra/values/bson-values.pure.ts';
import { readDaq } from './run-daq.pure.ts';
import { OUTCOMES, RUN_STATES } from './run-shape.pure.ts';
import type {
  BootstraxFields,
  DataEntry,
  FieldProblem,
  Notes,
  ParsedRun,
  RunState,
} from './run-shape.pure.ts';
import { readTags } from './tags.pure.ts';

/** Characters of what a document says of itself; none of its own words is as long. */
const LONGEST_TEXT = 300;
const LONGEST_REASON = 50_000;
/** Nobody mends more of them at a time. */
const MOST_PROBLEMS = 20;
/** Stands for a status that is no text: somebody else's, whatever it means. */
const FOREIGN_STATUS = '(not text)';

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
 * Reads a run document as the database driver or Extended JSON gives it. Missing and unknown
 * optional fields are fine. What cannot be processed without is a problem, named by its dotted path;
 * what is odd but clear, or not needed, is an oddity and stops nothing. Never throws.
 */
export function parseRun(raw: unknown): ParsedRun {
  try {
    return readDocument(raw);
  } catch {
    // Only an object that is no plain data (a getter that throws, a revoked proxy) gets here.
    return unreadable('cannot be read');
  }
}

function unreadable(problem: string): ParsedRun {
  const problems = [{ field: '(document)', problem }];
  return {
    kind: 'malformed',
    malformed: { number: null, problems, oddities: [], bootstrax: UNTOUCHED, tags: [] },
  };
}

function readDocument(raw: unknown): ParsedRun {
  if (!isObject(raw)) return unreadable('is not an object');
  const problems: FieldProblem[] = [];
  const oddities: FieldProblem[] = [];
  const notes: Notes = {
    stop: (field, problem, value) => {
      note(problems, field, problem);
      return value;
    },
    odd: (field, problem, value) => {
      note(oddities, field, problem);
      return value;
    },
  };
  const number = readRunNumber(raw.number, notes);
  const bootstrax = readBootstrax(raw.bootstrax, notes);
  const start = readStart(raw.start, notes);
  const data = readData(raw.data, notes);
  const tags = readTags(raw.tags);
  const run = {
    mode: readMode(raw.mode, notes),
    detectors: readDetectors(raw.detectors, notes),
    end: optionalDate(raw.end, 'end', notes),
    status: isMissing(raw.status) ? null : readStatus(raw.status, notes),
    tags: tags.names,
    bootstrax,
    data,
    liveLocation: readLiveLocation(raw.data, bootstrax, notes),
    daq: readDaq(raw.daq_config, notes),
    rateMBps: readRate(raw.rate, notes),
    oddities,
  };
  for (const { field, problem } of tags.oddities) note(oddities, field, problem);
  if (problems.length > 0 || number === null || start === null) {
    const malformed = { number, problems, oddities, bootstrax, tags: tags.names };
    return { kind: 'malformed', malformed };
  }
  const runId = String(number).padStart(6, '0');
  return { kind: 'run', run: { number, runId, start, ...run } };
}

function note(list: FieldProblem[], field: string, problem: string): void {
  if (list.length >= MOST_PROBLEMS) return;
  list.push({
    field: boundedLine(field, LONGEST_TEXT),
    problem: boundedLine(problem, LONGEST_TEXT),
  });
}

function absentOr(value: unknown, problem: string): string {
  return isMissing(value) ? 'is absent' : problem;
}

/** Nothing depends on it: of another type it counts as absent. */
function optionalString(
  value: unknown,
  field: string,
  { odd }: Notes,
  longest = LONGEST_TEXT,
): string | null {
  if (isMissing(value)) return null;
  if (typeof value === 'string') return boundedLine(value, longest);
  return odd(field, 'is not a string', null);
}

function optionalDate(value: unknown, field: string, { odd }: Notes): Date | null {
  if (isMissing(value)) return null;
  const date = readDate(value);
  if (date !== null) return date;
  const clear = readClearDate(value);
  return clear === null
    ? odd(field, 'is neither null nor a date', null)
    : odd(field, 'is text, not a date', clear);
}

function optionalCount(value: unknown, field: string, { odd }: Notes): number {
  if (isMissing(value)) return 0;
  const count = readInteger(value);
  if (count !== null && count >= 0) return count;
  const clear = typeof value === 'string' ? readClearNumber(value) : null;
  return clear !== null && Number.isSafeInteger(clear)
    ? odd(field, 'is text, not a number', clear)
    : odd(field, 'is not a non-negative integer', 0);
}

/** Ours alone, and no decision needs it: what is no count is not there. */
function readCounts(value: unknown): readonly number[] {
  if (!Array.isArray(value)) return [];
  const counts = value.flatMap((each: unknown) => readInteger(each) ?? []);
  return [...new Set(counts.filter((count) => count > 0))];
}

function readRunNumber(value: unknown, { stop }: Notes): number | null {
  const number = readInteger(value);
  if (number !== null && number >= 0) return number;
  return stop('number', absentOr(value, 'is not a non-negative integer'), null);
}

function readStart(value: unknown, { stop, odd }: Notes): Date | null {
  const start = readDate(value);
  if (start !== null) return start;
  const clear = readClearDate(value);
  return clear === null
    ? stop('start', absentOr(value, 'is not a date'), null)
    : odd('start', 'is text, not a date', clear);
}

/** As the reference, which looks for the modes it knows in whatever text the value makes. */
function readMode(value: unknown, { odd }: Notes): string {
  if (isMissing(value)) return '';
  if (typeof value === 'string') return boundedLine(value, LONGEST_TEXT);
  return odd('mode', 'is not a string', boundedLine(plainText(value), LONGEST_TEXT));
}

function plainText(value: unknown): string {
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    // No database holds what JSON cannot say, but a caller may.
    return '';
  }
}

function readStatus(value: unknown, { odd }: Notes): string {
  return typeof value === 'string'
    ? boundedLine(value, LONGEST_TEXT)
    : odd('status', 'is not a string', FOREIGN_STATUS);
}

function readDetectors(value: unknown, { stop, odd }: Notes): readonly string[] {
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

function readBootstrax(value: unknown, notes: Notes): BootstraxFields {
  if (isMissing(value)) return UNTOUCHED;
  if (!isObject(value)) return notes.stop('bootstrax', 'is not an object', UNTOUCHED);
  const at = (name: string) => `bootstrax.${name}`;
  const state = readState(value.state, notes);
  // Only a failed run waits for a time: without a readable one nobody knows when.
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
    // A later release may know more outcomes: they say nothing to this one.
    outcome: OUTCOMES.find((outcome) => outcome === value.outcome) ?? null,
    uncounted: optionalCount(value.uncounted, at('uncounted'), notes),
    holdersLost: optionalCount(value.holders_lost, at('holders_lost'), notes),
    ...(askedFailures.length > 0 ? { askedFailures } : {}),
    ...(state === 'considering' && typeof value.waits_for === 'string'
      ? { waitsFor: boundedLine(value.waits_for, LONGEST_TEXT) }
      : {}),
  };
}

function readState(value: unknown, { stop }: Notes): RunState | null {
  if (isMissing(value)) return null;
  const state = RUN_STATES.find((known) => known === value);
  return state ?? stop('bootstrax.state', `is not one of null, ${RUN_STATES.join(', ')}`, null);
}

function readData(value: unknown, notes: Notes): readonly DataEntry[] {
  if (!Array.isArray(value)) return notes.stop('data', absentOr(value, 'is not an array'), []);
  if (value.length === 0) return notes.stop('data', 'is empty', []);
  return value.flatMap((entry: unknown, i) => {
    if (!isObject(entry)) return notes.odd(`data.${i}`, 'is not an object', []);
    const type = optionalString(entry.type, `data.${i}.type`, notes);
    const host = optionalString(entry.host, `data.${i}.host`, notes) ?? '';
    const isLive = type === 'live';
    const location =
      isLive && typeof entry.location !== 'string'
        ? null
        : optionalString(entry.location, `data.${i}.location`, notes, Infinity);
    return type === null ? [] : { type, host, location };
  });
}

/** A path of the document is only ever read below this host's own roots, and must look like one. */
function livePathProblem(location: unknown): string | null {
  if (isMissing(location)) return 'is absent';
  if (typeof location !== 'string') return 'is not a string';
  if (!location.startsWith('/')) return 'is not an absolute path';
  if (location.includes('\0')) return 'contains a NUL character';
  if (location.split('/').includes('..')) return "contains '..'";
  return null;
}

/** Of the first live entry that can be used; the others are told of. */
function readLiveLocation(raw: unknown, bootstrax: BootstraxFields, notes: Notes): string | null {
  const entries: readonly unknown[] = Array.isArray(raw) ? raw : [];
  const live = entries.flatMap((entry, i) =>
    isObject(entry) && entry.type === 'live'
      ? { field: `data.${i}.location`, location: entry.location }
      : [],
  );
  const usable = live.find(({ location }) => livePathProblem(location) === null);
  for (const { field, location } of live) {
    const problem = livePathProblem(location);
    if (problem === null) continue;
    if (usable === undefined) notes.stop(field, problem, null);
    else notes.odd(field, problem, null);
  }
  if (typeof usable?.location === 'string') return usable.location;
  const over = bootstrax.state === 'done' || bootstrax.state === 'abandoned';
  // Once a run was processed its live data may be deleted, and its document is still right.
  if (live.length === 0 && entries.length > 0 && !over && bootstrax.startedProcessing === null) {
    notes.stop('data', "has no element of type 'live'", null);
  }
  return null;
}

/** Sum over detectors of the maximal rate, MB/s; null where none is known (section 6.2). */
function readRate(value: unknown, { odd }: Notes): number | null {
  if (isMissing(value)) return null;
  if (!isObject(value)) return odd('rate', 'is not an object', null);
  let sum = 0;
  for (const [detector, rate] of Object.entries(value)) {
    if (isMissing(rate)) continue;
    if (!isObject(rate)) return odd(`rate.${detector}`, 'is not an object', null);
    if (isMissing(rate.max)) continue;
    const max = readClearNumber(rate.max);
    if (max === null) return odd(`rate.${detector}.max`, 'is not a number', null);
    sum += max;
  }
  return sum > 0 && Number.isFinite(sum) ? sum : null;
}
