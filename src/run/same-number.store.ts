import { idText } from './document-id.ts';
import { readRun } from './run.pure.ts';
import type { RunDocument } from './run-document.port.ts';
import type { Numbered } from './same-number.pure.ts';

/** Documents of one number, as input of the decision about them. */
export function numbered(
  documents: readonly RunDocument[],
): (Numbered & { document: RunDocument })[] {
  return documents.map((document) => ({
    id: idText(document._id),
    document,
    stored: readRun(document),
  }));
}
