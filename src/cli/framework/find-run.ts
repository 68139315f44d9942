import type { Store } from '../../ports/store.ts';
import { type ParsedRun, parseRun } from '../../run/run.pure.ts';
import type { RunDocument } from '../../run/run-document.port.ts';
import { severalText } from '../../run/same-number.pure.ts';
import { numbered } from '../../run/same-number.store.ts';
import { CommandFailure } from './command-failure.ts';
import { type RunArgument, runTarget } from './run-argument.ts';

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
