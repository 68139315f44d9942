import { z } from 'zod';

import { type ChangeSummary, summaryOf } from './compare.pure.ts';
import { SHADOWED, type Shadowed } from './shadow.pure.ts';

/** A line of a shadow's log that compares two decisions. */
const verdictSchema = z.looseObject({
  t: z.string(),
  run: z.number().nullable(),
  host: z.string().nullable(),
  kind: z.enum(SHADOWED),
  ours: z.unknown(),
  theirs: z.unknown(),
  agrees: z.boolean().nullable(),
  changes: z.array(
    z.object({ decision: z.string(), from: z.unknown().optional(), to: z.unknown().optional() }),
  ),
});
export type ShadowLine = z.infer<typeof verdictSchema>;

/** The summary of all lines about one kind of decision. */
export interface ShadowSum {
  kind: Shadowed;
  agree: number;
  differ: number;
  /** Lines in which one of the two decisions is unknown. */
  unknown: number;
  /** The differences, most frequent first. */
  changes: ChangeSummary[];
  /** The newest lines that differ. */
  examples: ShadowLine[];
}

export interface ShadowReport {
  /** ISO 8601, UTC; null if the log is empty. */
  from: string | null;
  to: string | null;
  runs: number;
  kinds: ShadowSum[];
  /** Lines that cannot be read, for example after a power cut. */
  unreadable: number;
}

const EXAMPLES = 3;

/** Sums up a shadow's log; each line of the file is JSON. */
export function shadowReport(lines: Iterable<unknown>): ShadowReport {
  const verdicts: ShadowLine[] = [];
  const runs = new Set<number>();
  let [from, to]: [string | null, string | null] = [null, null];
  let unreadable = 0;
  for (const line of lines) {
    const read = z.looseObject({ t: z.string(), run: z.number().nullable() }).safeParse(line);
    if (!read.success) {
      unreadable += 1;
      continue;
    }
    from ??= read.data.t;
    to = read.data.t;
    if (read.data.run !== null) runs.add(read.data.run);
    const verdict = verdictSchema.safeParse(line);
    if (verdict.success) verdicts.push(verdict.data);
  }
  return {
    from,
    to,
    runs: runs.size,
    kinds: SHADOWED.map((kind) => sum(kind, verdicts)),
    unreadable,
  };
}

function sum(kind: Shadowed, verdicts: readonly ShadowLine[]): ShadowSum {
  const ofKind = verdicts.filter((line) => line.kind === kind);
  const differing = ofKind.filter(({ agrees }) => agrees === false);
  return {
    kind,
    agree: ofKind.filter(({ agrees }) => agrees === true).length,
    differ: differing.length,
    unknown: ofKind.filter(({ agrees }) => agrees === null).length,
    changes: summaryOf(
      differing.map(({ run, changes }) => ({
        run,
        changes: changes.map(({ decision, from, to }) => ({ decision, from, to })),
      })),
      EXAMPLES,
    ),
    examples: differing.slice(-EXAMPLES),
  };
}
