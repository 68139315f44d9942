import { parseRun, type Run } from '../domain/run.ts';
import type { RunDocument } from '../store/types.ts';
import type { Environment } from './environment.ts';

export type RequestedRun =
  { ok: true; run: Run; document: RunDocument } | { ok: false; message: string };

/** The run that a person wants processed out of turn, or why it cannot be. */
export async function requestedRun(
  env: Pick<Environment, 'store' | 'rules'>,
  number: number,
): Promise<RequestedRun> {
  const no = (message: string): RequestedRun => ({ ok: false, message });
  const documents = await env.store.runs.byNumber(number);
  const [document] = documents;
  if (document === undefined) return no(`there is no run ${number}`);
  if (documents.length > 1) return no(`${documents.length} documents have the number ${number}`);
  const parsed = parseRun(document);
  if (parsed.kind === 'malformed') {
    const named = parsed.malformed.problems.map(({ field, problem }) => `${field}: ${problem}`);
    return no(`run ${number} is malformed: ${named.join('; ')}`);
  }
  const { run } = parsed;
  switch (run.bootstrax.state) {
    case 'considering':
    case 'busy':
    case 'done':
    case 'abandoned':
      return no(`run ${number} is ${run.bootstrax.state}: see 'bootstrax explain ${number}'`);
    case 'failed':
    case null:
      break;
  }
  if (run.tags.includes(env.rules.claim.abandonTag)) {
    return no(`run ${number} is tagged ${env.rules.claim.abandonTag}: it ends abandoned`);
  }
  if (run.tags.includes(env.rules.claim.holdTag)) {
    return no(`run ${number} is held: 'bootstrax release ${number}' first`);
  }
  return { ok: true, run, document };
}
