import type { Environment } from '../ports/environment.ts';
import { parseRun, type Run } from '../run/run.pure.ts';
import type { RunDocument } from '../run/run-document.port.ts';
import { ABANDON_TAG, HOLD_TAG } from '../run/run-tags.pure.ts';
import { documentInWords, mayBegin, SETTLE_NUMBER, severalText } from '../run/same-number.pure.ts';
import { numbered } from '../run/same-number.store.ts';

export type RequestedRun =
  { ok: true; run: Run; document: RunDocument } | { ok: false; message: string };

/** The run that a person wants processed at once, or why it cannot be. */
export async function requestedRun(
  env: Pick<Environment, 'store' | 'rules'>,
  number: number,
  id?: string,
): Promise<RequestedRun> {
  const no = (message: string): RequestedRun => ({ ok: false, message });
  const documents = numbered(await env.store.runs.byNumber(number));
  const [first] = documents;
  if (first === undefined) return no(`there is no run ${number}`);
  if (documents.length > 1 && id === undefined) return no(severalText(number, documents));
  const own = id === undefined ? first : documents.find((each) => each.id === id);
  if (own === undefined) return no(`document ${id ?? ''} does not have the number ${number}`);
  const may = mayBegin(own.id, documents);
  if (may.kind === 'no') {
    return no(
      `the number of document ${own.id} belongs to document ${documentInWords(may.owner)}: ${SETTLE_NUMBER}`,
    );
  }
  const { document } = own;
  const parsed = parseRun(document);
  if (parsed.kind === 'malformed') {
    const named = parsed.malformed.problems.map(({ field, problem }) => `${field}: ${problem}`);
    return no(`run ${number} is malformed: ${named.join('; ')}`);
  }
  const why = whyNotNow(parsed.run);
  return why === null ? { ok: true, run: parsed.run, document } : no(why);
}

function whyNotNow({ number, bootstrax: { state }, tags }: Run): string | null {
  if (state !== null && state !== 'failed') {
    return `run ${number} is ${state}: see 'bootstrax explain ${number}'`;
  }
  if (tags.includes(ABANDON_TAG))
    return `run ${number} is tagged ${ABANDON_TAG}: it ends abandoned`;
  return tags.includes(HOLD_TAG)
    ? `run ${number} is held: 'bootstrax release ${number}' first`
    : null;
}
