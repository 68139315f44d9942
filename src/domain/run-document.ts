import { boundedLine } from './bounded.ts';
import { isMissing, isObject, readDate, readInteger, readNumber } from './bson-values.ts';
import { OUTCOMES, RUN_STATES } from './run-shape.ts';
import type {
  BootstraxFields,
  DataEntry,
  FieldProblem,
  ParsedRun,
  Run,
  RunState,
} from './run-shape.ts';

/** Defaults of the DAQ settings that a run document may lack (reference, section 4.2). */
const DAQ_DEFAULTS = {
  chunkSeconds: 5,
  overlapSeconds: 0.5,
  fragmentBytes: 220,
  compressor: 'lz4',
} as const;

/** Characters of what a document says of itself; none of its own words is as long. */
const LONGEST_TEXT = 300;
const LONGEST_REASON = 50_000;
/** Nobody mends more of them at a time. */
const MOST_PROBLEMS = 20;

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

/** Their names in the document. */
const DAQ_SETTINGS = [
  'strax_chunk_length',
  'strax_chunk_overlap',
  'strax_fragment_payload_bytes',
  'compressor',
] as const;

/** Notes a problem with a field and returns the value to go on with. */
type Note = <T>(field: string, problem: string, value: T) => T;

/**
 * Reads a run document as the database driver or Extended JSON gives it. Missing and unknown
 * optional fields are fine; whatever else is wrong is named by its dotted path. Never throws.
 */
export function parseRun(raw: unknown): ParsedRun {
  try {
    return readDocument(raw);
  } catch {
    // Only an object that is no plain data (a getter that throws, a revoked proxy) gets here.
    return malformed(null, [{ field: '(document)', problem: 'cannot be read' }], UNTOUCHED, []);
  }
}

function malformed(
  number: number | null,
  problems: FieldProblem[],
  bootstrax: BootstraxFields,
  tags: readonly string[],
): ParsedRun {
  return { kind: 'malformed', malformed: { number, problems, bootstrax, tags } };
}

function readDocument(raw: unknown): ParsedRun {
  if (!isObject(raw)) {
    return malformed(null, [{ field: '(document)', problem: 'is not an object' }], UNTOUCHED, []);
  }
  const problems: FieldProblem[] = [];
  const note: Note = (field, problem, value) => {
    if (problems.length < MOST_PROBLEMS) {
      const short = boundedLine(problem, LONGEST_TEXT);
      problems.push({ field: boundedLine(field, LONGEST_TEXT), problem: short });
    }
    return value;
  };
  const number = readRunNumber(raw.number, note);
  const bootstrax = readBootstrax(raw.bootstrax, note);
  const tags = readTags(raw.tags, note);
  const start = readDate(raw.start) ?? note('start', absentOr(raw.start, 'is not a date'), null);
  const data = readData(raw.data, note);
  const run = {
    mode: optionalString(raw.mode, 'mode', note) ?? '',
    detectors: readDetectors(raw.detectors, note),
    end: optionalDate(raw.end, 'end', note),
    status: optionalString(raw.status, 'status', note),
    tags,
    bootstrax,
    data,
    liveLocation: readLiveLocation(raw.data, data, bootstrax, note),
    daq: readDaq(raw.daq_config, note),
    rateMBps: readRate(raw.rate, note),
  };
  if (problems.length > 0 || number === null || start === null) {
    return malformed(number, problems, bootstrax, tags);
  }
  const runId = String(number).padStart(6, '0');
  return { kind: 'run', run: { number, runId, start, ...run } };
}

function absentOr(value: unknown, problem: string): string {
  return isMissing(value) ? 'is absent' : problem;
}

function optionalString(
  value: unknown,
  field: string,
  note: Note,
  longest = LONGEST_TEXT,
): string | null {
  if (isMissing(value)) return null;
  if (typeof value === 'string') return boundedLine(value, longest);
  return note(field, 'is not a string', null);
}

function optionalDate(value: unknown, field: string, note: Note): Date | null {
  if (isMissing(value)) return null;
  return readDate(value) ?? note(field, 'is neither null nor a date', null);
}

function optionalCount(value: unknown, field: string, note: Note): number {
  if (isMissing(value)) return 0;
  const count = readInteger(value);
  return count !== null && count >= 0 ? count : note(field, 'is not a non-negative integer', 0);
}

/** Ours alone, and no decision needs it: what is no count is not there. */
function readCounts(value: unknown): readonly number[] {
  if (!Array.isArray(value)) return [];
  const counts = value.flatMap((each: unknown) => readInteger(each) ?? []);
  return [...new Set(counts.filter((count) => count > 0))];
}

function readRunNumber(value: unknown, note: Note): number | null {
  const number = readInteger(value);
  if (number !== null && number >= 0) return number;
  return note('number', absentOr(value, 'is not a non-negative integer'), null);
}

function readDetectors(value: unknown, note: Note): readonly string[] {
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return [...value];
  return note('detectors', absentOr(value, 'is not an array of strings'), []);
}

function readTags(value: unknown, note: Note): readonly string[] {
  if (isMissing(value)) return [];
  if (!Array.isArray(value)) return note('tags', 'is not an array', []);
  return value.flatMap((tag: unknown, i) => {
    if (!isObject(tag)) return note(`tags.${i}`, 'is not an object', []);
    return optionalString(tag.name, `tags.${i}.name`, note) ?? [];
  });
}

function readBootstrax(value: unknown, note: Note): BootstraxFields {
  if (isMissing(value)) return UNTOUCHED;
  if (!isObject(value)) return note('bootstrax', 'is not an object', UNTOUCHED);
  const at = (name: string) => `bootstrax.${name}`;
  const askedFailures = readCounts(value.asked_failures);
  return {
    state: readState(value.state, note),
    host: optionalString(value.host, at('host'), note),
    time: optionalDate(value.time, at('time'), note),
    startedProcessing: optionalDate(value.started_processing, at('started_processing'), note),
    reason: optionalString(value.reason, at('reason'), note, LONGEST_REASON),
    failures: optionalCount(value.n_failures, at('n_failures'), note),
    nextRetry: optionalDate(value.next_retry, at('next_retry'), note),
    attempt: optionalString(value.attempt, at('attempt'), note),
    // A later release may know more outcomes: they say nothing to this one.
    outcome: OUTCOMES.find((outcome) => outcome === value.outcome) ?? null,
    uncounted: optionalCount(value.uncounted, at('uncounted'), note),
    holdersLost: optionalCount(value.holders_lost, at('holders_lost'), note),
    ...(askedFailures.length > 0 ? { askedFailures } : {}),
  };
}

function readState(value: unknown, note: Note): RunState | null {
  if (isMissing(value)) return null;
  const state = RUN_STATES.find((known) => known === value);
  return state ?? note('bootstrax.state', `is not one of null, ${RUN_STATES.join(', ')}`, null);
}

function readData(value: unknown, note: Note): readonly DataEntry[] {
  if (!Array.isArray(value)) return note('data', absentOr(value, 'is not an array'), []);
  if (value.length === 0) return note('data', 'is empty', []);
  return value.flatMap((entry: unknown, i) => {
    if (!isObject(entry)) return note(`data.${i}`, 'is not an object', []);
    const type = optionalString(entry.type, `data.${i}.type`, note);
    const host = optionalString(entry.host, `data.${i}.host`, note) ?? '';
    const location = optionalString(entry.location, `data.${i}.location`, note, Infinity);
    if (type === null) return [];
    const isPath = isMissing(entry.location) || location !== null;
    const problem = type === 'live' && isPath ? livePathProblem(location) : null;
    if (problem !== null) note(`data.${i}.location`, problem, null);
    return { type, host, location };
  });
}

/** A path of the document is only ever read below this host's own roots, and must look like one. */
function livePathProblem(location: string | null): string | null {
  if (location === null) return 'is absent';
  if (!location.startsWith('/')) return 'is not an absolute path';
  if (location.includes('\0')) return 'contains a NUL character';
  if (location.split('/').includes('..')) return "contains '..'";
  return null;
}

function readLiveLocation(
  raw: unknown,
  data: readonly DataEntry[],
  bootstrax: BootstraxFields,
  note: Note,
): string | null {
  const live = data.find((entry) => entry.type === 'live');
  if (live !== undefined) return live.location;
  const over = bootstrax.state === 'done' || bootstrax.state === 'abandoned';
  // Once a run was processed its live data may be deleted, and its document is still right.
  const hasEntries = Array.isArray(raw) && raw.length > 0;
  if (hasEntries && !over && bootstrax.startedProcessing === null) {
    note('data', "has no element of type 'live'", null);
  }
  return null;
}

function readDaq(value: unknown, note: Note): Run['daq'] {
  const config = isObject(value) ? value : {};
  if (!isObject(value)) note('daq_config', absentOr(value, 'is not an object'), null);
  const at = (name: string) => `daq_config.${name}`;
  return {
    threads: isObject(value) ? readThreads(config.processing_threads, note) : {},
    chunkSeconds: optionalAmount(
      config.strax_chunk_length,
      (seconds) => Number.isFinite(seconds) && seconds > 0,
      DAQ_DEFAULTS.chunkSeconds,
      (problem) => note(at('strax_chunk_length'), problem, DAQ_DEFAULTS.chunkSeconds),
      'is not a positive number',
    ),
    overlapSeconds: optionalAmount(
      config.strax_chunk_overlap,
      (seconds) => Number.isFinite(seconds) && seconds >= 0,
      DAQ_DEFAULTS.overlapSeconds,
      (problem) => note(at('strax_chunk_overlap'), problem, DAQ_DEFAULTS.overlapSeconds),
      'is not a non-negative number',
    ),
    fragmentBytes: optionalAmount(
      config.strax_fragment_payload_bytes,
      // A sample has two bytes, and a record at least one sample.
      (bytes) => Number.isSafeInteger(bytes) && bytes >= 2,
      DAQ_DEFAULTS.fragmentBytes,
      (problem) => note(at('strax_fragment_payload_bytes'), problem, DAQ_DEFAULTS.fragmentBytes),
      'is not an integer of at least 2',
    ),
    compressor:
      optionalString(config.compressor, at('compressor'), note) ?? DAQ_DEFAULTS.compressor,
    defaulted: DAQ_SETTINGS.filter((name) => isMissing(config[name])),
  };
}

function optionalAmount(
  value: unknown,
  fits: (amount: number) => boolean,
  fallback: number,
  refuse: (problem: string) => number,
  problem: string,
): number {
  if (isMissing(value)) return fallback;
  const amount = readNumber(value) ?? NaN;
  return fits(amount) ? amount : refuse(problem);
}

function readThreads(value: unknown, note: Note): Readonly<Record<string, number>> {
  const field = 'daq_config.processing_threads';
  if (!isObject(value)) return note(field, absentOr(value, 'is not an object'), {});
  const entries = Object.entries(value);
  if (entries.length === 0) return note(field, 'is empty', {});
  for (const [reader, count] of entries) {
    const threads = readInteger(count);
    // A reader's name is part of the file names of its live data.
    if (reader === '' || /[/\0]/.test(reader)) {
      return note(field, `has a reader '${reader}', which cannot be part of a file name`, {});
    }
    if (threads === null || threads < 1) {
      return note(`${field}.${reader}`, 'is not a positive integer', {});
    }
  }
  return Object.fromEntries(entries.map(([reader, count]) => [reader, Number(readInteger(count))]));
}

/** Sum over detectors of the maximal rate, MB/s; null where none is known (section 6.2). */
function readRate(value: unknown, note: Note): number | null {
  if (isMissing(value)) return null;
  if (!isObject(value)) return note('rate', 'is not an object', null);
  let sum = 0;
  for (const [detector, rate] of Object.entries(value)) {
    if (isMissing(rate)) continue;
    if (!isObject(rate)) return note(`rate.${detector}`, 'is not an object', null);
    if (isMissing(rate.max)) continue;
    const max = readNumber(rate.max);
    if (max === null) return note(`rate.${detector}.max`, 'is not a number', null);
    sum += max;
  }
  return sum > 0 && Number.isFinite(sum) ? sum : null;
}
