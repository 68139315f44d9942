import {
  isMissing,
  isObject,
  readClearNumber,
  readInteger,
  readNumber,
} from '../infra/values/bson-values.pure.ts';
import type { FieldNotes, Run } from './run-shape.pure.ts';

/** Defaults of the DAQ settings that a run document may lack (reference, section 4.2). */
const DAQ_DEFAULTS = {
  chunkSeconds: 5,
  overlapSeconds: 0.5,
  fragmentBytes: 220,
  compressor: 'lz4',
} as const;

/** Names of these settings in the document. */
const DAQ_SETTINGS = [
  'strax_chunk_length',
  'strax_chunk_overlap',
  'strax_fragment_payload_bytes',
  'compressor',
] as const;

/** The settings with which the live data was written. With wrong ones it cannot be read. */
export function readDaq(value: unknown, notes: FieldNotes): Run['daq'] {
  const config = isObject(value) ? value : {};
  if (!isObject(value)) {
    notes.stop('daq_config', isMissing(value) ? 'is absent' : 'is not an object', null);
  }
  const amount = (
    name: (typeof DAQ_SETTINGS)[number],
    fallback: number,
    fits: (amount: number) => boolean,
    problem: string,
  ) => {
    const setting = config[name];
    const field = `daq_config.${name}`;
    if (isMissing(setting)) return fallback;
    const number = readClearNumber(setting);
    if (number === null || !fits(number)) return notes.stop(field, problem, fallback);
    return readNumber(setting) === null
      ? notes.odd(field, 'is text, not a number', number)
      : number;
  };
  const { compressor } = config;
  return {
    threads: isObject(value) ? readThreads(config.processing_threads, notes) : {},
    chunkSeconds: amount(
      'strax_chunk_length',
      DAQ_DEFAULTS.chunkSeconds,
      (seconds) => Number.isFinite(seconds) && seconds > 0,
      'is not a positive number',
    ),
    overlapSeconds: amount(
      'strax_chunk_overlap',
      DAQ_DEFAULTS.overlapSeconds,
      (seconds) => Number.isFinite(seconds) && seconds >= 0,
      'is not a non-negative number',
    ),
    fragmentBytes: amount(
      'strax_fragment_payload_bytes',
      DAQ_DEFAULTS.fragmentBytes,
      // A sample has two bytes, and a record at least one sample.
      (bytes) => Number.isSafeInteger(bytes) && bytes >= 2,
      'is not an integer of at least 2',
    ),
    compressor:
      isMissing(compressor) || typeof compressor === 'string'
        ? (compressor ?? DAQ_DEFAULTS.compressor)
        : notes.stop('daq_config.compressor', 'is not a string', DAQ_DEFAULTS.compressor),
    defaulted: DAQ_SETTINGS.filter((name) => isMissing(config[name])),
  };
}

function readThreads(value: unknown, { stop, odd }: FieldNotes): Readonly<Record<string, number>> {
  const field = 'daq_config.processing_threads';
  if (!isObject(value)) {
    return stop(field, isMissing(value) ? 'is absent' : 'is not an object', {});
  }
  const entries = Object.entries(value);
  if (entries.length === 0) return stop(field, 'is empty', {});
  const threads: [string, number][] = [];
  for (const [reader, count] of entries) {
    // A reader's name is part of the file names of its live data.
    if (reader === '' || /[/\0]/.test(reader)) {
      return stop(field, `has a reader '${reader}', which cannot be part of a file name`, {});
    }
    const number = readClearNumber(count);
    if (number === null || !Number.isSafeInteger(number) || number < 1) {
      return stop(`${field}.${reader}`, 'is not a positive integer', {});
    }
    if (readInteger(count) === null) odd(`${field}.${reader}`, 'is text, not a number', null);
    threads.push([reader, number]);
  }
  return Object.fromEntries(threads);
}
