import { EXIT_NO_RESULT, type Progress } from '../attempt/attempt.pure.ts';
import type { ExitCause, Failed } from '../attempt/outcome.pure.ts';
import type { TargetRules } from '../infra/config/rules.pure.ts';
import {
  byItself,
  type CauseClass,
  firstOf,
  nameOf,
  SERVICES_AND_CALIBRATION,
} from './cause-rules.pure.ts';
import { type Frame, framesOf, type RaisedError, raisedErrors } from './traceback.pure.ts';

export { CAUSE_CLASSES, type CauseClass } from './cause-rules.pure.ts';

/** Whose failure it is. `site`: calibrations, databases, settings, the same for every host. */
export type Whose = 'run' | 'host' | 'site' | 'operator';

/**
 * Why an attempt failed. It shapes the next attempt and shows people where to search. Whether there is a
 * next attempt, and whether this one counts, `retry/backoff.pure` decides.
 */
export interface Cause {
  class: CauseClass;
  /** Data type whose plugin raised the error, where one did. */
  plugin: string | null;
  whose: Whose;
  /** Whether an attempt with fewer plugins may succeed. */
  sheddingHelps: boolean;
  /** Whether the next attempt should use fewer processes and messages. */
  lessMemory: boolean;
}

/** A failed attempt, and the last progress of its child; null if there was none. */
type FailedAttempt = Pick<Failed, 'cause' | 'traceback' | 'shortOf'> & {
  progress: Pick<Progress, 'phase' | 'chunks'> | null;
};

/** For people. */
export function causeText({ class: cause, plugin }: Pick<Cause, 'class' | 'plugin'>): string {
  switch (cause) {
    case 'plugin_error':
      return plugin === null ? 'plugin error' : `plugin error in ${plugin}`;
    case 'calibration_or_database':
      return 'missing calibration or database';
    default:
      return cause.replaceAll('_', ' ');
  }
}

const BUS_ERROR = 7;

/** Data types that every attempt makes. */
export type NeededTypes = Pick<TargetRules, 'lastResort' | 'rawTypes'>;

/** The cause of a failure: the same for the same texts, on every host. */
export function causeOf(failed: FailedAttempt, needed: NeededTypes): Cause {
  const found = causeByExit(failed);
  // Data types that every attempt needs cannot be shed.
  const { plugin } = found;
  const isNeeded =
    plugin !== null && (plugin.startsWith(needed.lastResort) || needed.rawTypes.includes(plugin));
  const ofPlugin = found.class === 'plugin_error' || found.class === 'calibration_or_database';
  return ofPlugin && isNeeded ? { ...found, sheddingHelps: false } : found;
}

function causeByExit(failed: FailedAttempt): Cause {
  const { cause, traceback, shortOf } = failed;
  switch (cause.kind) {
    case 'strax_error':
      return causeOfClass(classOfError(cause, traceback), { plugin: cause.plugin });
    case 'host_problem':
      return ofHostProblem(cause.reason, traceback);
    case 'out_of_memory':
      return causeOfClass('out_of_memory', { plugin: cause.plugin });
    case 'memory_limit':
      return causeOfClass('out_of_memory');
    case 'timed_out':
    case 'no_progress':
      return ofHang(failed);
    case 'child_died':
      // Shared memory is full: then touching it is a bus error.
      if (cause.signal === BUS_ERROR) return causeOfClass('out_of_memory');
      return causeOfClass(cause.code === EXIT_NO_RESULT ? 'disk' : 'unknown');
    case 'finished':
      return causeOfClass(shortOf === 'products' ? 'corrupt_data' : 'input_not_ready');
    case 'operator':
      return causeOfClass('operator');
    case 'vanished':
      return causeOfClass('vanished');
    case 'not_started':
    case 'orphaned':
    case 'manager':
    case 'superseded':
      return causeOfClass('manager');
  }
}

const WHOSE: Record<CauseClass, Whose> = {
  out_of_memory: 'run',
  hang: 'run',
  input_not_ready: 'run',
  corrupt_data: 'run',
  plugin_error: 'run',
  unknown: 'run',
  calibration_or_database: 'site',
  configuration: 'site',
  disk: 'host',
  host: 'host',
  manager: 'host',
  vanished: 'host',
  operator: 'operator',
};

function causeOfClass(cause: CauseClass, about: { plugin?: string | null } = {}): Cause {
  const { plugin = null } = about;
  return {
    class: cause,
    plugin,
    whose: WHOSE[cause],
    sheddingHelps: sheddingHelps(cause, plugin),
    lessMemory: cause === 'out_of_memory',
  };
}

function sheddingHelps(cause: CauseClass, plugin: string | null): boolean {
  switch (cause) {
    case 'out_of_memory':
    case 'hang':
    case 'unknown':
    case 'vanished':
    case 'plugin_error':
      return true;
    case 'calibration_or_database':
      // Without a plugin it is not known what to shed.
      return plugin !== null;
    case 'input_not_ready':
    case 'corrupt_data':
    case 'disk':
    case 'configuration':
    case 'host':
    case 'operator':
    case 'manager':
      return false;
  }
}

/** Raised by a thread that waits for another: they count only if there is no other error. */
const MESSENGERS = /^Mailbox|^BrokenProcessPool$|^(_RemoteTraceback|RemoteTraceback)$/;
/** Often raised to test something: once handled they do not count. */
const HANDLED =
  /^(KeyError|AttributeError|StopIteration|FileNotFoundError|DataNotAvailable|ImportError|ModuleNotFoundError)$/;

function classOfError(error: ExitCause & { kind: 'strax_error' }, traceback: string): CauseClass {
  const chain = raisedErrors(traceback);
  const only: RaisedError = { ...error, frames: framesOf(traceback), ledTo: null };
  const errors = chain.length > 0 ? chain : [only];
  const counted = errors.filter(
    ({ type, ledTo }) => ledTo !== 'context' || !HANDLED.test(nameOf(type)),
  );
  const known = firstOf(counted.map(byItself), (cause) => cause !== 'hang');
  if (known !== null) return known;
  const [original] = errors.filter(({ type }) => !MESSENGERS.test(nameOf(type))).slice(-1);
  if (original === undefined) return firstOf(counted.map(byItself)) ?? 'unknown';
  return byItself(original) ?? byPlace(original, error.plugin);
}

function byPlace({ frames }: RaisedError, plugin: string | null): CauseClass {
  if (frames.some(({ path }) => SERVICES_AND_CALIBRATION.test(path))) {
    return 'calibration_or_database';
  }
  // A program that cannot be loaded is not the fault of the run.
  const loads = ({ path, name }: Frame) =>
    path.startsWith('<frozen importlib') || name === '<module>';
  if (frames.some(loads)) return 'configuration';
  const [innermost] = frames.slice(-1);
  const inPlugin = innermost !== undefined && /\/plugins\//.test(innermost.path);
  return plugin !== null || inPlugin ? 'plugin_error' : 'unknown';
}

/** The cause of a problem that the host reports in one sentence. */
function ofHostProblem(reason: string, traceback: string): Cause {
  const [, type = '', message = reason] = /^(\w+): ([^]*)$/.exec(reason) ?? [];
  const error = { type, message, frames: [] };
  const chain = raisedErrors(traceback).map(byItself);
  const spoken = [byItself(error), byItself({ ...error, type: '' }), ...chain];
  const told = firstOf(spoken) ?? 'host';
  // If other programs use the memory, a smaller attempt does not help.
  const lessMemory = told === 'out_of_memory' && /\/dev\/shm/.test(message);
  const whose = told === 'out_of_memory' ? 'host' : WHOSE[told];
  return { ...causeOfClass(told), whose, lessMemory, sheddingHelps: lessMemory };
}

/** Code in which a plugin waits for other programs. */
const SERVICE =
  /\/(pymongo|urllib3|requests|rframe|xedocs)\/|\/(urllib\/request|http\/client)\.py$/;
const OF_PROCESSING = /\/strax(en)?\/|\/plugins\//;

function ofHang({ traceback, progress }: FailedAttempt): Cause {
  if (progress?.phase === 'waiting_for_data' && progress.chunks === 0) {
    return causeOfClass('input_not_ready');
  }
  const threads = traceback.split(/\n(?=\S)/).map(framesOf);
  const waits = (frames: readonly Frame[]) =>
    frames.some(({ path }) => SERVICE.test(path)) &&
    frames.some(({ path }) => OF_PROCESSING.test(path));
  return causeOfClass(threads.some(waits) ? 'calibration_or_database' : 'hang');
}
