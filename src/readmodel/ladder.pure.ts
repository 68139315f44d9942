/** The part of an attempt that the ladder shows. */
export interface Rung {
  attempt: string;
  targets: readonly string[];
  postProcessing: readonly string[];
  dropped: readonly string[];
  outcome: string | null;
  plugin: string | null;
}

export type Step =
  /** A target of this attempt. */
  | 'asked'
  /** A target that was made. */
  | 'made'
  /** A target whose plugin raised the error. */
  | 'culprit'
  /** A target that was wanted, and dropped. */
  | 'dropped'
  /** Not wanted in this attempt. */
  | 'none';

export interface LadderRow {
  type: string;
  /** One for each attempt, oldest first. */
  steps: Step[];
  /** Hosts for which the run document lists a finished product. */
  storedOn: string[];
}

/** Which data types were targets, dropped or made, attempt by attempt (oldest first). */
export function targetLadder(
  rungs: readonly Rung[],
  data: readonly { type: string; host: string }[],
): LadderRow[] {
  const types = [
    ...new Set(
      rungs.flatMap(({ targets, postProcessing, dropped }) => [
        ...targets,
        ...postProcessing,
        ...dropped,
      ]),
    ),
  ];
  return types.map((type) => ({
    type,
    steps: rungs.map((rung) => stepOf(type, rung)),
    storedOn: [
      ...new Set(data.filter((entry) => entry.type === type).map(({ host }) => host)),
    ].sort(),
  }));
}

function stepOf(type: string, rung: Rung): Step {
  if (rung.dropped.includes(type)) return 'dropped';
  if (!rung.targets.includes(type) && !rung.postProcessing.includes(type)) return 'none';
  if (rung.outcome === 'done') return 'made';
  return rung.plugin === type ? 'culprit' : 'asked';
}
