import { fieldsOf } from '../../../src/infra/values/bson-values.pure.ts';
import { type ParsedRun, parseRun, type Run } from '../../../src/run/run.pure.ts';
import type { RunDocument } from '../../../src/run/run-document.port.ts';
import { storedRuns } from '../../../src/run/stored-runs.ts';

export const NOW = new Date('2026-03-01T12:00:00Z');

/** An hour before or after NOW and the like. */
export function at(hours: number): Date {
  return new Date(NOW.getTime() + hours * 3_600_000);
}

/** A run document as the DAQ inserts it, with changes. */
export function runDocument(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    number: 4711,
    detectors: ['tpc'],
    user: 'operator',
    mode: 'tpc_bkg',
    bootstrax: { state: null },
    start: at(-1),
    end: null,
    daq_config: {
      processing_threads: { reader0_reader_0: 2, reader1_reader_0: 1 },
      compressor: 'lz4',
      strax_fragment_payload_bytes: 220,
      strax_chunk_length: 5,
      strax_chunk_overlap: 0.5,
    },
    data: [{ type: 'live', host: 'daq', location: '/live_data/xenonnt' }],
    ...changes,
  };
}

/** A document as the store gives it out. */
export function storedRun(fields: object): RunDocument {
  return storedRuns([fields])[0]!;
}

/** All fields of a document that the store has given out, for tests of the store itself. */
export function opened(document: RunDocument | null | undefined): Record<string, unknown> {
  return fieldsOf(document);
}

export function parsed(changes: Record<string, unknown> = {}): ParsedRun {
  return parseRun(runDocument(changes));
}

export function run(changes: Record<string, unknown> = {}): Run {
  const result = parsed(changes);
  if (result.kind === 'malformed') {
    throw new Error(`unexpectedly malformed: ${JSON.stringify(result.malformed.problems)}`);
  }
  return result.run;
}
