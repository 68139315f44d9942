import { readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';

import type { Product } from '../attempt.pure.ts';
import { parseExactJson } from './exact-json.pure.ts';
import { parseFolderName, type StraxFolder } from './strax-folder.ts';

/** Something wrong with a stored data type; `file` is the faulty one. */
export type ProductProblem =
  | { kind: 'metadata_unreadable'; file: string; why: string }
  | { kind: 'exception'; file: string; exception: string }
  /** Never closed: no `writing_ended`. */
  | { kind: 'not_ended'; file: string }
  | { kind: 'no_chunks'; file: string }
  /** The metadata lack a chunk between others, or list it twice. */
  | { kind: 'chunk_numbers'; file: string; chunk: number }
  | { kind: 'chunk_missing'; file: string; chunk: number }
  /** Rows, but no bytes. */
  | { kind: 'chunk_empty'; file: string; chunk: number }
  | { kind: 'chunk_size'; file: string; chunk: number; expectedBytes: number; bytes: number };

export interface InspectedProduct {
  /** As far as the metadata can be read; null if it cannot. */
  product: Product | null;
  type: string;
  /** Absolute path of the folder. */
  location: string;
  lineageHash: string;
  /** Rows of the first chunk; 0 without chunks. */
  firstChunkRows: number;
  problems: ProductProblem[];
}

export interface Inspection {
  /** By type, then hash; folders under their final name only. */
  products: InspectedProduct[];
  /** Absolute paths of folders that strax has not finished: `..._temp`. */
  unfinished: string[];
}

/** A time in ns since 1970: too large for a number, so usually digits. */
const nsSchema = z
  .union([z.int(), z.string().regex(/^-?\d+$/)])
  .transform((value) => BigInt(value));

/** What strax writes beside its chunks. */
const metadataSchema = z.looseObject({
  lineage: z.record(z.string(), z.unknown()),
  chunks: z.array(
    z.looseObject({
      chunk_i: z.int().nonnegative(),
      n: z.int().nonnegative(),
      start: nsSchema,
      end: nsSchema,
      /** Of its rows; absent for a chunk without rows. */
      first_time: nsSchema.nullish(),
      last_endtime: nsSchema.nullish(),
      /** Absent where another process has written the chunk. */
      filesize: z.int().nonnegative().optional(),
      /** Absent for a chunk without rows, which has no file. */
      filename: z
        .string()
        .regex(/^[^/]+$/)
        .optional(),
    }),
  ),
  writing_ended: z.number().optional(),
  exception: z.string().optional(),
});
type Metadata = z.infer<typeof metadataSchema>;
type Chunk = Metadata['chunks'][number];

/** Files that are read at the same time. */
const STAT_BATCH = 64;
/** Folders looked at at the same time: of a long run each is megabytes of metadata. */
const FOLDER_BATCH = 4;

/** What strax has stored of a run, from the disk alone. Changes nothing. */
export async function inspectProducts(folder: string, runId: string): Promise<Inspection> {
  const output = resolve(folder);
  const inspection: Inspection = { products: [], unfinished: [] };
  const finished: { location: string; named: StraxFolder }[] = [];
  for (const entry of (await readdir(output, { withFileTypes: true })).sort(byName)) {
    const named = parseFolderName(entry.name);
    if (named?.runId !== runId || !entry.isDirectory()) continue;
    const location = join(output, entry.name);
    if (named.unfinished) inspection.unfinished.push(location);
    else finished.push({ location, named });
  }
  for (let begin = 0; begin < finished.length; begin += FOLDER_BATCH) {
    const batch = finished.slice(begin, begin + FOLDER_BATCH);
    const found = batch.map(({ location, named }) => inspectFolder(location, named));
    inspection.products.push(...(await Promise.all(found)));
  }
  return inspection;
}

async function inspectFolder(location: string, folder: StraxFolder): Promise<InspectedProduct> {
  const { type, lineageHash } = folder;
  const file = join(location, `${type}-${lineageHash}-metadata.json`);
  let metadata: Metadata;
  let sizes: Map<string, number>;
  try {
    sizes = await fileSizes(location);
    metadata = metadataSchema.parse(parseExactJson(await readFile(file, 'utf8')));
  } catch (error) {
    const problems: ProductProblem[] = [{ kind: 'metadata_unreadable', file, why: whyOf(error) }];
    return { product: null, type, location, lineageHash, firstChunkRows: 0, problems };
  }
  // A saver in several processes lists its chunks in the order in which their files were found.
  const chunks = metadata.chunks.toSorted((a, b) => a.chunk_i - b.chunk_i);
  const problems = problemsOf(file, metadata, chunks);
  for (const chunk of chunks) {
    // strax writes no file for a chunk without rows.
    if (chunk.n === 0) continue;
    const name = chunk.filename ?? chunkFileName(folder, chunk.chunk_i);
    const problem = chunkProblem(chunk, join(location, name), sizes.get(name));
    if (problem !== null) problems.push(problem);
  }
  const { lineage } = metadata;
  return {
    product: { type, location, lineageHash, lineage, ...figuresOf(chunks, sizes) },
    type,
    location,
    lineageHash,
    firstChunkRows: chunks[0]?.n ?? 0,
    problems,
  };
}

/** What is wrong by the metadata alone. */
function problemsOf(file: string, metadata: Metadata, chunks: readonly Chunk[]): ProductProblem[] {
  const problems: ProductProblem[] = [];
  if (metadata.exception !== undefined) {
    problems.push({ kind: 'exception', file, exception: metadata.exception });
  }
  if (metadata.writing_ended === undefined) problems.push({ kind: 'not_ended', file });
  if (chunks.length === 0) problems.push({ kind: 'no_chunks', file });
  const misplaced = chunks.findIndex((chunk, index) => chunk.chunk_i !== index);
  if (misplaced >= 0) problems.push({ kind: 'chunk_numbers', file, chunk: misplaced });
  return problems;
}

function figuresOf(chunks: readonly Chunk[], sizes: ReadonlyMap<string, number>) {
  return {
    chunks: chunks.length,
    rows: chunks.reduce((sum, chunk) => sum + chunk.n, 0),
    bytes: [...sizes.values()].reduce((sum, size) => sum + size, 0),
    startNs: earliest(chunks.map((chunk) => chunk.start)),
    endNs: latest(chunks.map((chunk) => chunk.end)),
    firstTimeNs: earliest(chunks.flatMap((chunk) => chunk.first_time ?? [])),
    lastTimeNs: latest(chunks.flatMap((chunk) => chunk.last_endtime ?? [])),
  };
}

/** Sizes in bytes of the files in a folder, by name. */
async function fileSizes(location: string): Promise<Map<string, number>> {
  const names = await readdir(location);
  const sizes = new Map<string, number>();
  for (let begin = 0; begin < names.length; begin += STAT_BATCH) {
    const batch = names.slice(begin, begin + STAT_BATCH);
    const found = await Promise.all(batch.map(async (name) => stat(join(location, name))));
    for (const [index, name] of batch.entries()) sizes.set(name, found[index]?.size ?? 0);
  }
  return sizes;
}

function chunkProblem(
  { chunk_i: chunk, filesize }: Chunk,
  file: string,
  bytes: number | undefined,
): ProductProblem | null {
  if (bytes === undefined) return { kind: 'chunk_missing', file, chunk };
  if (bytes === 0 || filesize === 0) return { kind: 'chunk_empty', file, chunk };
  if (filesize !== undefined && filesize !== bytes) {
    return { kind: 'chunk_size', file, chunk, expectedBytes: filesize, bytes };
  }
  return null;
}

/** One sentence for each way in which the disk differs from what the child said it made. */
export function sameAsResult(products: readonly Product[], inspection: Inspection): string[] {
  const differences: string[] = [];
  for (const said of products) {
    const found = inspection.products.find(
      ({ type, lineageHash }) => type === said.type && lineageHash === said.lineageHash,
    );
    if (found === undefined) {
      differences.push(`${said.type}: ${said.location} is not on disk`);
    } else if (found.product !== null) {
      for (const field of ['chunks', 'rows', 'bytes', 'startNs', 'endNs'] as const) {
        if (found.product[field] === said[field]) continue;
        differences.push(
          `${said.type}: ${field} is ${found.product[field] ?? 'none'} on disk (${found.location}), ` +
            `but the worker reported ${said[field] ?? 'none'}`,
        );
      }
    }
  }
  return differences;
}

/** One sentence about a problem, naming the file. */
export function describeProblem(problem: ProductProblem): string {
  const { file } = problem;
  switch (problem.kind) {
    case 'metadata_unreadable':
      return `metadata cannot be read: ${file}: ${problem.why}`;
    case 'exception':
      return `strax noted an exception while writing: ${file}: ${lastLine(problem.exception)}`;
    case 'not_ended':
      return `strax did not finish writing: ${file} has no writing_ended`;
    case 'no_chunks':
      return `no chunks were written: ${file}`;
    case 'chunk_numbers':
      return `chunk ${problem.chunk} is not listed exactly once: ${file}`;
    case 'chunk_missing':
      return `the file of chunk ${problem.chunk} is missing: ${file}`;
    case 'chunk_empty':
      return `the file of chunk ${problem.chunk} is empty although it has rows: ${file}`;
    case 'chunk_size':
      return (
        `the file of chunk ${problem.chunk} has ${problem.bytes} bytes instead of ` +
        `${problem.expectedBytes}: ${file}`
      );
  }
}

function chunkFileName({ type, lineageHash }: StraxFolder, chunk: number): string {
  return `${type}-${lineageHash}-${String(chunk).padStart(6, '0')}`;
}

function earliest(values: readonly bigint[]): string | null {
  return extreme(values, (a, b) => a < b);
}

function latest(values: readonly bigint[]): string | null {
  return extreme(values, (a, b) => a > b);
}

function extreme(values: readonly bigint[], better: (a: bigint, b: bigint) => boolean) {
  if (values.length === 0) return null;
  return values.reduce((best, value) => (better(value, best) ? value : best)).toString();
}

function whyOf(error: unknown): string {
  if (error instanceof z.ZodError) {
    const issue = error.issues[0];
    return `field ${issue?.path.join('.') || '(all)'}: ${issue?.message ?? 'not as expected'}`;
  }
  return error instanceof Error ? error.message : String(error);
}

function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? '';
}

function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : 1;
}
