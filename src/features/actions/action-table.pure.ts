/**
 * What people can ask for, one row each. Commands, the API's schema, buttons, the audit and the
 * recovery of unfinished actions are made from it.
 */

/** An option of a command that a row may name. */
export type ActionOption = 'fromStart' | 'evenDone' | 'keep' | 'on' | 'yes';

interface ActionRow {
  target: 'run' | 'host' | 'item';
  /** Name of its button. */
  button: string;
  /** What it does, for the help of its command and for those who hover over its button. */
  about: string;
  /** Another action cannot undo it. */
  isDangerous?: true;
  /** It ends by itself after this time, unless the person chooses another one. */
  usualHours?: number;
}

interface RunActionRow extends ActionRow {
  target: 'run';
  /** Options of its command, besides reason and JSON. */
  options: readonly ActionOption[];
  /**
   * What would harm other documents with the same number: that the run begins although the number
   * belongs to another one, or that data is deleted by the number.
   */
  harm: 'begins' | 'deletes' | null;
  /** How its run shows later that it was carried out. */
  trace: 'action id' | 'action id or offered debt' | 'hold tag' | 'no hold tag';
  /** Its command takes several runs. */
  ofMany?: true;
  /** It takes the run away from the attempt that has it. */
  stopsAttempt?: true;
}

interface OtherActionRow extends ActionRow {
  target: 'host' | 'item';
}

/** In the order of `--help`. */
export const ACTIONS = {
  fail: {
    target: 'run',
    button: 'Fail',
    about:
      'stop the attempt under way and count a failure; the run is tried again with the same targets',
    options: ['evenDone', 'yes'],
    harm: null,
    trace: 'action id',
    stopsAttempt: true,
  },
  abandon: {
    target: 'run',
    button: 'Abandon',
    about: 'give the run up for good: its attempt is stopped, and its data may be deleted',
    isDangerous: true,
    options: [],
    harm: 'deletes',
    trace: 'action id',
    stopsAttempt: true,
  },
  retry: {
    target: 'run',
    button: 'Retry now',
    about: 'try the failed run again now, whatever it waits for',
    options: ['fromStart', 'evenDone', 'yes'],
    harm: 'begins',
    trace: 'action id',
  },
  reprocess: {
    target: 'run',
    button: 'Reprocess with all targets',
    about:
      'make all targets of the run: a done run gets its missing targets, any other begins again',
    options: ['keep', 'on', 'yes'],
    ofMany: true,
    harm: 'begins',
    trace: 'action id or offered debt',
  },
  hold: {
    target: 'run',
    button: 'Hold',
    about: 'keep all hosts from claiming the run until it is released',
    options: [],
    harm: null,
    trace: 'hold tag',
  },
  release: {
    target: 'run',
    button: 'Release',
    about: 'let hosts claim the held run again',
    options: [],
    harm: null,
    trace: 'no hold tag',
  },
  renumber: {
    target: 'run',
    button: 'Give another number',
    about: 'give one of several documents with the same run number another number',
    options: [],
    harm: null,
    trace: 'action id',
  },
  drain: {
    target: 'host',
    button: 'Drain',
    about: 'claim no new run on a host until undrain; its present attempts go on',
    usualHours: 8,
  },
  undrain: {
    target: 'host',
    button: 'Undrain',
    about: 'let a host claim runs again',
  },
  acknowledge: {
    target: 'item',
    button: 'Acknowledge',
    about: 'show others that you take care of what needs attention, or of a kind of failure',
    usualHours: 24,
  },
} as const satisfies Readonly<Record<string, RunActionRow | OtherActionRow>>;

export type ActionKind = keyof typeof ACTIONS;

/** Of the rows, those of one kind of target. */
type KindOf<Target> = {
  [Kind in ActionKind]: (typeof ACTIONS)[Kind]['target'] extends Target ? Kind : never;
}[ActionKind];

export type RunActionKind = KindOf<'run'>;
export type HostActionKind = KindOf<'host'>;

export const ACTION_KINDS = Object.keys(ACTIONS) as [ActionKind, ...ActionKind[]];

/** The row of an action; an unknown action is an error. */
export function actionRow<Kind extends ActionKind>(kind: Kind): (typeof ACTIONS)[Kind] & ActionRow {
  if (!isActionKind(kind)) throw new Error(`"${String(kind)}" is no action`);
  return ACTIONS[kind];
}

/** The same for one at a run. */
export function runActionRow(kind: RunActionKind): RunActionRow {
  return actionRow(kind);
}

/** Whether this release knows such an action: another release may have written it. */
export function isActionKind(kind: unknown): kind is ActionKind {
  return typeof kind === 'string' && Object.hasOwn(ACTIONS, kind);
}

export function isRunAction(kind: ActionKind): kind is RunActionKind {
  return actionRow(kind).target === 'run';
}

export function isHostAction(kind: ActionKind): kind is HostActionKind {
  return actionRow(kind).target === 'host';
}

/** `about` as a sentence. */
export function actionSentence(kind: ActionKind): string {
  const { about } = actionRow(kind);
  return `${about.charAt(0).toUpperCase()}${about.slice(1)}.`;
}
