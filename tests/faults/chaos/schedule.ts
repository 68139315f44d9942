/** What can be done to the processes, and how often in relation to each other. */
export const FAULTS = {
  'manager killed': 5,
  'manager ended': 2,
  'manager replaced': 2,
  'manager stopped': 3,
  'stopped manager replaced': 1,
  'fork server killed': 2,
  'guardian killed': 3,
  'child killed': 3,
  'database killed': 2,
  'database stopped': 2,
  'machine gone': 2,
} as const;

export type FaultKind = keyof typeof FAULTS;

/** One fault as it is planned; whom it hits is decided by what there is at that moment. */
export interface Planned {
  /** From the beginning of the faults, seconds. */
  atSeconds: number;
  kind: FaultKind;
  /** Which of the possible victims: evenly from [0, 1). */
  choice: number;
  /** How long what was hit stays away or stands still: evenly from [0, 1), scaled by kind. */
  length: number;
}

const SHORTEST_GAP_SECONDS = 0.3;
const LONGEST_GAP_SECONDS = 6;

/** Numbers evenly from [0, 1), the same ones for the same seed (mulberry32). */
export function draws(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The faults of `seconds` of chaos: the same for the same seed. */
export function schedule(seed: number, seconds: number): Planned[] {
  const draw = draws(seed);
  const kinds = Object.entries(FAULTS) as [FaultKind, number][];
  const sum = kinds.reduce((total, [, weight]) => total + weight, 0);
  const planned: Planned[] = [];
  let atSeconds = 0;
  for (;;) {
    atSeconds += SHORTEST_GAP_SECONDS + draw() * (LONGEST_GAP_SECONDS - SHORTEST_GAP_SECONDS);
    let rest = draw() * sum;
    const kind = kinds.find(([, weight]) => (rest -= weight) < 0)?.[0] ?? 'manager killed';
    const next = { atSeconds, kind, choice: draw(), length: draw() };
    if (atSeconds >= seconds) return planned;
    planned.push(next);
  }
}
