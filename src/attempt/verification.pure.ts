import type { Rules, TargetRules } from '../infra/config/rules.pure.ts';
import { suitsDetectors } from '../infra/config/type-names.pure.ts';
import { counted } from '../infra/values/counted.pure.ts';
import { endProblem } from '../retry/unmendable.pure.ts';
import type { FieldProblem, Run } from '../run/run.pure.ts';
import type { Product } from './attempt.pure.ts';

export type Verification =
  | { kind: 'ok' }
  /** The DAQ has not written `end` yet: look again later. */
  | { kind: 'not_ended' }
  /** The document lists data of this host that is not on its disk: look again later. */
  | { kind: 'not_saved'; locations: readonly string[] }
  /** No end to check it against, nor will there be one before a person corrects the document. */
  | { kind: 'no_end'; problem: FieldProblem }
  | { kind: 'bad'; problem: string };

function bad(problem: string): Verification {
  return { kind: 'bad', problem };
}

/** The raw records that tell whether a run is complete; a quiet detector's only if all are quiet. */
function telling(
  products: readonly Product[],
  run: Run,
  { rawTypes, detectors, lastResort }: TargetRules,
): Product | undefined {
  const ofDetectors = rawTypes
    .filter((type) => suitsDetectors(type, run.detectors, detectors))
    .map((type) => products.find((product) => product.type === type))
    .filter((product) => product !== undefined);
  const any = products.filter(({ type }) => type.startsWith(lastResort));
  const candidates = ofDetectors.length > 0 ? ofDetectors : any;
  return candidates.find(({ rows }) => rows > 0) ?? candidates[0];
}

function spanNs(start: string | null | undefined, end: string | null | undefined): bigint | null {
  if (typeof start !== 'string' || typeof end !== 'string') return null;
  return BigInt(end) - BigInt(start);
}

function secondsText(ns: bigint): string {
  return `${(Number(ns) / 1e9).toFixed(1)} s`;
}

/**
 * Is what was made complete (reference, section 4.7)? The raw records must cover the run to within
 * `coverageSeconds`, strictly: by the times of their rows, or by their chunks, since the rows of a
 * quiet detector need not reach to the ends.
 */
export function verifyProducts(
  products: readonly Product[],
  run: Run,
  { targets, limits }: Pick<Rules, 'targets' | 'limits'>,
): Verification {
  const empty = products.find(({ rows, bytes }) => rows > 0 && bytes === 0);
  if (empty !== undefined) {
    return bad(
      `${empty.type} has ${counted(empty.rows, 'row')} but no bytes in ${empty.location}.`,
    );
  }
  const raw = telling(products, run, targets);
  if (raw === undefined)
    return bad(`there are no raw records (${targets.rawTypes.join(', ')}) among them.`);
  if (raw.chunks === 0) return bad(`${raw.type} has no chunks in ${raw.location}.`);
  const problem = endProblem(run);
  const unclear = problem === null ? null : ({ kind: 'no_end', problem } as const);
  if (run.end === null) return unclear ?? { kind: 'not_ended' };
  const length = BigInt(run.end.getTime() - run.start.getTime()) * 1_000_000n;
  const { chunkSeconds, overlapSeconds } = run.daq;
  // A run that ended in the instant in which it began has one chunk.
  const mostSeconds =
    length === 0n
      ? Math.min(limits.coverageSeconds, chunkSeconds + overlapSeconds + 0.001)
      : limits.coverageSeconds;
  const limit = BigInt(Math.round(mostSeconds * 1e9));
  const spans = [spanNs(raw.firstTimeNs, raw.lastTimeNs), spanNs(raw.startNs, raw.endNs)].filter(
    (span) => span !== null,
  );
  const covers = spans.some((span) => {
    const difference = span - length;
    return span > 0n && difference < limit && -difference < limit;
  });
  // Of a run that ended in the instant in which it began the raw data may be complete.
  if (covers && run.end.getTime() >= run.start.getTime()) return { kind: 'ok' };
  if (unclear !== null) return unclear;
  const found = spans[0] === undefined ? 'nothing' : secondsText(spans[0]);
  return bad(
    `${raw.type} covers ${found} of a run of ${secondsText(length)} in ${raw.location}; ` +
      `they must differ by less than ${limits.coverageSeconds} s.`,
  );
}
