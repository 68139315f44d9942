import { parseRun, type ParsedRun } from '../domain/run.ts';
import type { RunDocument, Store } from '../store/types.ts';
import { severalText } from '../domain/same-number.ts';
import { numbered } from '../store/numbered.ts';
import { CommandFailure } from './failure.ts';
import { runTarget, type RunArgument } from './run-argument.ts';

export interface FoundRun {
  document: RunDocument;
  parsed: ParsedRun;
}

/** The document of this run; it is an error if there is none, or if its number is that of several. */
export async function findRun(store: Store, named: RunArgument): Promise<FoundRun> {
  const { run, document: id } = await runTarget(store, named);
  const documents = numbered(await store.runs.byNumber(run));
  const [first, ...others] = documents;
  if (first === undefined) throw new CommandFailure(1, `there is no run ${run}`);
  if (others.length > 0 && id === undefined) {
    throw new CommandFailure(1, severalText(run, documents));
  }
  const { document } = documents.find((each) => each.id === id) ?? first;
  return { document, parsed: parseRun(document) };
}
