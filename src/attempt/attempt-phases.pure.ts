/** Where an attempt stands, from its claim to its conclusion; each of them may be cut by a crash. */
export const ATTEMPT_PHASES = [
  'claimed',
  'preparing',
  'waiting_for_worker',
  'starting',
  'finding',
  'running',
  'checking',
  'waiting_for_end',
  'publishing',
  'concluding',
] as const;
export type AttemptPhase = (typeof ATTEMPT_PHASES)[number];

/**
 * The one table of legal transitions. What was asked for and not confirmed is `finding` until it is
 * found or certainly not there, and so is an attempt of an earlier manager; `concluding` is left by nothing but the end.
 */
const NEXT: Readonly<Record<AttemptPhase, readonly AttemptPhase[]>> = {
  claimed: ['preparing', 'finding', 'concluding'],
  preparing: ['waiting_for_worker', 'starting', 'concluding'],
  waiting_for_worker: ['preparing', 'concluding'],
  starting: ['finding', 'running', 'concluding'],
  finding: ['running', 'concluding'],
  running: ['checking', 'publishing', 'concluding'],
  checking: ['waiting_for_end', 'publishing', 'concluding'],
  waiting_for_end: ['checking', 'publishing', 'concluding'],
  publishing: ['concluding'],
  concluding: [],
};

/** Staying where it is is always legal: a step that was cut is done again. */
export function mayEnter(from: AttemptPhase, to: AttemptPhase): boolean {
  return from === to || NEXT[from].includes(to);
}

/** Throws where the step is not in the table: a mistake of this program, after which nothing is safe. */
export function assertMayEnter(attempt: string, from: AttemptPhase, to: AttemptPhase): void {
  if (mayEnter(from, to)) return;
  throw new Error(`attempt ${attempt} cannot go from ${from} to ${to}`);
}
