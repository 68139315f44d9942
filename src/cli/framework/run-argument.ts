import { InvalidArgumentError } from 'commander';

import type { RunTarget } from '../../features/actions/action.ts';
import type { Store } from '../../ports/store.ts';
import { documentId } from '../../run/document-id.ts';
import { readRun } from '../../run/run.pure.ts';
import { CommandFailure } from './command-failure.ts';
import { runNumber } from './run-number.ts';

/** A run as a person names it: by its number, or by the id of its document. */
export type RunArgument = number | { document: string };

export const RUN_HELP = 'run number, or id of its document where several have the number';

/** A run number or the id of a document, 24 hexadecimal digits; throws on anything else. */
export function runArgument(text: string): RunArgument {
  if (/^[0-9a-f]{24}$/i.test(text)) return { document: text.toLowerCase() };
  try {
    return runNumber(text);
  } catch {
    throw new InvalidArgumentError(
      'A run number is a whole number; else give the id of a document (24 hexadecimal digits).',
    );
  }
}

/** What is meant, with its number; it is an error if there is no such document. */
export async function runTarget(store: Store, named: RunArgument): Promise<RunTarget> {
  if (typeof named === 'number') return { kind: 'run', run: named };
  const id = documentId(named.document);
  const document = id === null ? null : await store.runs.byId(id);
  if (document === null) throw new CommandFailure(1, `there is no run document ${named.document}`);
  const run = readRun(document).number;
  if (run === null) {
    throw new CommandFailure(1, `document ${named.document} has no run number: correct it first`);
  }
  return { kind: 'run', run, document: named.document };
}
