import { z } from 'zod';
import { parseRun, type FieldProblem } from '../../run/run.pure.ts';
import { idText } from '../../run/document-id.ts';
import type { RunDocument } from '../../run/run.port.ts';
import { style, table } from './output.ts';

/** A document that cannot be processed as it is, or that is odd. */
export interface MalformedView {
  /** Of the document, for those without a usable number. */
  id: string;
  run: number | null;
  state: string | null;
  /** A manager has set it aside and said so; otherwise none has looked at it yet, or it is not its turn. */
  setAside: boolean;
  problems: readonly FieldProblem[];
  /** What is not as it should be and stops nothing. */
  oddities: readonly FieldProblem[];
}

/** As the manager notes them: also what only the plugin graph of the context could tell. */
const notedSchema = z.looseObject({
  outcome: z.literal('set_aside'),
  malformed: z.array(z.object({ field: z.string(), problem: z.string() })).nonempty(),
});

/** Those of the documents that are malformed now, or were when they were set aside, or odd. */
export function malformedViews(documents: readonly RunDocument[]): MalformedView[] {
  return documents.flatMap((document) => {
    const parsed = parseRun(document);
    const noted = notedSchema.safeParse(document['bootstrax']).data ?? null;
    const { number, bootstrax, oddities } = parsed.kind === 'run' ? parsed.run : parsed.malformed;
    const isWaiting = bootstrax.state === 'failed' && bootstrax.nextRetry === null;
    // A person who has mended it has also asked for another try.
    const notedProblems = isWaiting ? (noted?.malformed ?? []) : [];
    const problems = parsed.kind === 'malformed' ? parsed.malformed.problems : notedProblems;
    if (problems.length + oddities.length === 0) return [];
    return {
      id: idText(document._id),
      run: number,
      state: bootstrax.state,
      setAside: bootstrax.outcome === 'set_aside',
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
    views.flatMap(({ id, run, setAside, problems, oddities }) =>
      [...problems, ...oddities].map(({ field, problem }, i) => [
        i === 0 ? String(run ?? '?') : '',
        i === 0 ? id : '',
        i >= problems.length
          ? 'only odd'
          : i > 0
            ? ''
            : setAside
              ? 'yes'
              : style('yellow', 'not yet'),
        printable(field),
        printable(problem),
      ]),
    ),
  );
}

/** Names of fields are the document's: they may hold anything, of any length. */
function printable(text: string): string {
  const visible = text.replace(/[\p{Cc}\p{Cf}]/gu, '\uFFFD');
  return visible.length > 100 ? `${visible.slice(0, 97)}...` : visible;
}
