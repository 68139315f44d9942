import type { Product } from '../domain/attempt.ts';

/** Something wrong with a stored data type; `file` is the one to look at. */
export type ProductProblem =
  | { kind: 'metadata_unreadable'; file: string; why: string }
  | { kind: 'exception'; file: string; exception: string }
  /** Never closed: no `writing_ended`. */
  | { kind: 'not_ended'; file: string }
  | { kind: 'no_chunks'; file: string }
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

/** What strax has stored of a run, from the disk alone. Changes nothing. */
export async function inspectProducts(
  _outputDirectory: string,
  _runId: string,
): Promise<Inspection> {
  return Promise.reject(new Error('inspectProducts'));
}

/** One sentence for each way in which the disk differs from what the child said it made. */
export function sameAsResult(_products: readonly Product[], _inspection: Inspection): string[] {
  throw new Error('sameAsResult');
}

/** One sentence about a problem, naming the file. */
export function describeProblem(_problem: ProductProblem): string {
  throw new Error('describeProblem');
}
