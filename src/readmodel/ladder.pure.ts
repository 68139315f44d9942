/** What an attempt asked for, as far as the ladder looks at it. */
export interface Rung {
  attempt: string;
  targets: readonly string[];
  postProcessing: readonly string[];
  dropped: readonly string[];
  outcome: string | null;
  plugin: string | null;
}

export type Step =
  /** Asked for in this attempt. */
  | 'asked'
  /** Asked for, and made. */
  | 'made'
  /** The plugin that raised the error makes it. */
  | 'culprit'
  /** Wanted, and left out. */
  | 'dropped'
  /** Not wanted then. */
  | 'none';

export interface LadderRow {
  type: string;
  /** One for each attempt, oldest first. */
  steps: Step[];
  /** Where a finished copy of it is listed now. */
  storedOn: string[];
}

/** Which data types were wanted, asked for, dropped and made, attempt by attempt (oldest first). */
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
