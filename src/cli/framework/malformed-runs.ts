import { idText } from '../../run/document-id.ts';
import { checkRun, type FieldProblem, readRun } from '../../run/run.pure.ts';
import type { RunDocument } from '../../run/run-document.port.ts';
import { style, table } from './output.ts';

/** A document that cannot be processed as it is, or that is odd. */
export interface MalformedView {
  /** Of the document, for those without a usable number. */
  id: string;
  run: number | null;
  state: string | null;
  /** A manager has set it aside and said so; otherwise no manager has read it yet, or it is not its turn. */
  setAside: boolean;
  problems: readonly FieldProblem[];
  /** What is not as it should be and stops nothing. */
  oddities: readonly FieldProblem[];
}

/** Those of the documents that are malformed now, or were when they were set aside, or odd. */
export function malformedViews(documents: readonly RunDocument[]): MalformedView[] {
  return documents.flatMap((document) => {
    const stored = readRun(document);
    const parsed = checkRun(stored);
    const { number, bootstrax, oddities, own } = stored;
    const isSetAside = bootstrax.outcome === 'set_aside';
    const isWaiting = bootstrax.state === 'failed' && bootstrax.nextRetry === null;
    // Problems that only the plugin graph shows. A person who has corrected them has also requested a retry.
    const noted = isSetAside && isWaiting ? own.malformed : [];
    const problems = parsed.kind === 'malformed' ? parsed.malformed.problems : noted;
    if (problems.length + oddities.length === 0) return [];
    return {
      id: idText(document._id),
      run: number,
      state: bootstrax.state,
      setAside: isSetAside,
      problems,
      oddities,
    };
  });
}

/** A line for each wrong field. */
export function drawMalformed(views: readonly MalformedView[]): string {
  if (views.length === 0) return 'No malformed or odd run documents.';
  return table(
    ['run', 'document', 'set aside', 'field', 'problem'],
    views.flatMap(({ id, run, setAside, problems, oddities }) => {
      const whetherSetAside = setAside ? 'yes' : style('yellow', 'not yet');
      return [
        ...problems.map((each, i) => ({ ...each, aside: i === 0 ? whetherSetAside : '' })),
        ...oddities.map((each) => ({ ...each, aside: 'only odd' })),
      ].map(({ field, problem, aside }, i) => [
        i === 0 ? String(run ?? '?') : '',
        i === 0 ? id : '',
        aside,
        printable(field),
        printable(problem),
      ]);
    }),
  );
}

/** Names of fields are the document's: they may hold anything, of any length. */
function printable(text: string): string {
  const visible = text.replace(/[\p{Cc}\p{Cf}]/gu, '\uFFFD');
  return visible.length > 100 ? `${visible.slice(0, 97)}...` : visible;
}
