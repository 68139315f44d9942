import { assertThat } from '../infra/values/assertion.pure.ts';

/** Where an attempt stands, from its claim to its end; each of them may be cut by a crash. */
export const ATTEMPT_PHASES = [
  'claimed',
  'preparing',
  'waiting_for_worker',
  'starting',
  'finding',
  'waiting_for_place',
  'running',
  'checking',
  'waiting_for_end',
  'publishing',
  'concluding',
  'taking_back',
] as const;
export type AttemptPhase = (typeof ATTEMPT_PHASES)[number];

/**
 * What an attempt may leave behind, in the order in which it is taken back: first nothing of it runs
 * any more, then the history says so, then entries go before the folders that they name, and last what
 * tells the next start that there is something to take back.
 */
export const TRACES = [
  /** Guardian and child. */
  'processes',
  /** What the history says of its end. */
  'history',
  /** Earlier products that it has moved out of its way. */
  'replaced',
  /** Data entries of the run. */
  'entries',
  /** Documents of the online monitor. */
  'monitor',
  /** Product folders in the output folder. */
  'folders',
  /** What a done run says of who makes what it lacks. */
  'claim',
  /** Its place, and its attempt directory as one that is not concluded. */
  'place',
] as const;
export type Trace = (typeof TRACES)[number];

interface Step {
  /** The phases that may follow. */
  next: readonly AttemptPhase[];
  /** What it may leave behind; how that is taken back is part of each kind of attempt. */
  leaves: readonly Trace[];
}

/**
 * The one table of legal steps. What was asked for and not confirmed is `finding` until it is found or
 * certainly not there, and so is an attempt of an earlier manager. `taking_back` is left by nothing but
 * the end.
 */
const STEPS: Readonly<Record<AttemptPhase, Step>> = {
  claimed: {
    next: ['preparing', 'finding', 'concluding', 'taking_back'],
    leaves: ['claim', 'history'],
  },
  preparing: {
    next: ['waiting_for_worker', 'starting', 'concluding', 'taking_back'],
    leaves: ['place'],
  },
  waiting_for_worker: { next: ['preparing', 'concluding', 'taking_back'], leaves: [] },
  starting: {
    next: ['finding', 'waiting_for_place', 'running', 'concluding', 'taking_back'],
    leaves: ['processes'],
  },
  finding: { next: ['waiting_for_place', 'running', 'concluding', 'taking_back'], leaves: [] },
  waiting_for_place: { next: ['running', 'concluding', 'taking_back'], leaves: [] },
  running: {
    next: ['checking', 'publishing', 'concluding', 'taking_back'],
    // An attempt of release 0.1 writes to the output folder and lists what it begins.
    leaves: ['monitor', 'folders', 'entries'],
  },
  checking: { next: ['waiting_for_end', 'publishing', 'concluding', 'taking_back'], leaves: [] },
  waiting_for_end: { next: ['checking', 'publishing', 'concluding', 'taking_back'], leaves: [] },
  publishing: { next: ['concluding', 'taking_back'], leaves: ['replaced', 'folders'] },
  concluding: { next: ['taking_back'], leaves: ['entries'] },
  taking_back: { next: [], leaves: [] },
};

/** Staying where it is is always legal: a step that was cut is done again. */
export function mayEnter(from: AttemptPhase, to: AttemptPhase): boolean {
  return from === to || STEPS[from].next.includes(to);
}

/** Throws where the step is not in the table: a mistake of this program, after which nothing is safe. */
export function assertMayEnter(attempt: string, from: AttemptPhase, to: AttemptPhase): void {
  assertThat(mayEnter(from, to), () => `attempt ${attempt} cannot go from ${from} to ${to}`);
}

/** Throws where an attempt does what belongs to another phase. */
export function assertIsIn(attempt: string, is: AttemptPhase, wanted: AttemptPhase): void {
  assertThat(is === wanted, () => `attempt ${attempt} is ${is} where it must be ${wanted}`);
}

/** The traces of an attempt that has come through these phases, in the order of `TRACES`. */
export function tracesOf(phases: Iterable<AttemptPhase>): Trace[] {
  const left = new Set([...phases].flatMap((phase) => STEPS[phase].leaves));
  return TRACES.filter((trace) => left.has(trace));
}

/** What becomes of the run is decided: whatever is learned from now on changes nothing. */
export function isDecided(phase: AttemptPhase): boolean {
  return phase === 'publishing' || phase === 'concluding' || phase === 'taking_back';
}

/** The run is not held any more: no heartbeat is due. */
export function isLeft(phase: AttemptPhase): boolean {
  return phase === 'concluding' || phase === 'taking_back';
}
