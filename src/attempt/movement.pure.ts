import type { Progress } from './attempt.pure.ts';

/** What the figures of an attempt were when they last changed, and when that was. */
export interface Movement {
  figures: string;
  /** Seconds since the start of the child. */
  t: number;
}

/** Memory goes up and down in an attempt that hangs: it is no movement. */
export function movedOn(before: Movement | null, progress: Progress): Movement {
  const { phase, target, chunks, coveredSeconds, bytes, t } = progress;
  const figures = [phase, target ?? '', chunks, coveredSeconds, bytes].join(' ');
  return before?.figures === figures ? before : { figures, t };
}

/** Where each reader says that it has nothing more to write. */
const THE_END = 'THE_END';

/** Number of files of each reader, by the name of their folder (`000012_pre`, `THE_END`); absent folders are left out. */
export type ChunkFiles = ReadonlyMap<string, ReadonlyMap<string, number>>;

type Threads = Readonly<Record<string, number>>;

/** Folders that strax reads or waits for before it makes a chunk. */
export function foldersOfChunk(chunk: number): string[] {
  return [...partsOf(chunk), THE_END];
}

function partsOf(chunk: number): string[] {
  const name = nameOf(chunk);
  return chunk === 0 ? [name, `${name}_post`] : [`${name}_pre`, name, `${name}_post`];
}

function nameOf(chunk: number): string {
  return String(chunk).padStart(6, '0');
}

/** The reader that wrote a file of a chunk: `reader0_thread` of `reader0_thread_12345`. */
export function readerOfFile(name: string): string {
  return name.split('_').slice(0, -1).join('_') || name;
}

/** A list of more readers is not read. */
const MOST_NAMED = 3;

/**
 * What of the live data an attempt waits for that has read `chunk` chunks, in words; null: all that it
 * needs next is there, or the run is at its end.
 */
export function awaitedInput(chunk: number, files: ChunkFiles, threads: Threads): string | null {
  const unended = lacking(files, [THE_END], threads);
  // At the end of a run strax goes on without the files of a reader.
  if (unended.length === 0) return null;
  const isBegun = (files.get(nameOf(chunk))?.size ?? 0) > 0;
  if (isBegun) {
    const absent = lacking(files, partsOf(chunk), threads);
    return absent.length === 0 ? null : `chunk ${chunk} of ${named(absent)}`;
  }
  return files.has(THE_END) ? `${THE_END} of ${named(unended)}` : `chunk ${chunk} of the DAQ`;
}

function lacking(files: ChunkFiles, folders: readonly string[], threads: Threads): string[] {
  return Object.entries(threads).flatMap(([reader, count]) =>
    folders.some((folder) => (files.get(folder)?.get(reader) ?? 0) < count) ? [reader] : [],
  );
}

function named(readers: readonly string[]): string {
  const more = readers.length - MOST_NAMED;
  return `${readers.slice(0, MOST_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
