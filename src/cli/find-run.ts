import { parseRun, type ParsedRun } from '../domain/run.ts';
import type { RunDocument, Store } from '../store/types.ts';
import { CommandFailure } from './failure.ts';

export interface FoundRun {
  document: RunDocument;
  parsed: ParsedRun;
}

/** The document of this run number; it is an error if there is none, or more than one. */
export async function findRun(store: Store, number: number): Promise<FoundRun> {
  const [document, ...others] = await store.runs.byNumber(number);
  if (document === undefined) throw new CommandFailure(1, `there is no run ${number}`);
  if (others.length > 0) {
    throw new CommandFailure(
      1,
      `${others.length + 1} documents have the number ${number}: remove all but one from the runs collection`,
    );
  }
  return { document, parsed: parseRun(document) };
}
