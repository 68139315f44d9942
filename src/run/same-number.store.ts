import type { Numbered } from './same-number.pure.ts';
import { idText } from './document-id.ts';
import type { RunDocument } from './run.port.ts';

/** Documents of one number, as the decision about them takes them. */
export function numbered<T extends RunDocument>(
  documents: readonly T[],
): (Numbered & { document: T })[] {
  return documents.map((document) => ({ id: idText(document._id), document }));
}
