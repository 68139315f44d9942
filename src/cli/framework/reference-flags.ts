import { ENTRIES } from '../../infra/config/entries.ts';
import { CommandFailure } from './command-failure.ts';

/** What a command line in the reference's spelling means here. */
export interface Translation {
  /** The command line in this program's spelling. */
  args: string[];
  /** One line each, for the person who typed it. */
  notes: string[];
}

interface Meaning {
  /** Values that follow: none, one, any number, or at least one. */
  takes: 'none' | 'one' | 'any' | 'some';
  /** Settings that stand for it. */
  settings?: (values: string[], cores: () => number) => string[];
  note?: string;
}

/** Words that follow a flag. */
const MOST_VALUES: Readonly<Record<Meaning['takes'], number>> = {
  none: 0,
  one: 1,
  any: Infinity,
  some: Infinity,
};

const setting = (flag: string): Meaning => ({ takes: 'none', settings: () => [flag] });
const words = (flag: string, none: string): Meaning => ({
  takes: 'any',
  settings: (values) => [`${flag}=${values.length === 0 ? none : values.join(',')}`],
});
const same = (flag: string): Meaning => ({
  takes: 'one',
  settings: ([value]) => [`${flag}=${value}`],
});

/** Flags of straxen's bootstrax.py (reference, section 7), in its spelling. */
export const REFERENCE_FLAGS: Readonly<Record<string, Meaning>> = {
  '--production': { takes: 'none' },
  '--infer_mode': setting('--infer-mode'),
  '--delete_live': setting('--delete-live'),
  '--undying': {
    takes: 'none',
    note: '--undying: not needed. An unexpected error ends the manager, its children go on, and the service manager (systemd) starts it again, which takes them over.',
  },
  '--process': { takes: 'one' },
  '--fail': { takes: 'some' },
  '--abandon': { takes: 'some' },
  '--cores': {
    takes: 'one',
    settings: ([value], cores) => {
      const wanted = wholeNumber('--cores', value);
      return [`--resources-fallback-cores=${wanted === -1 ? cores() : wanted}`];
    },
  },
  '--max_messages': {
    takes: 'one',
    settings: ([value]) => [
      `--resources-fallback-max-messages=${wholeNumber('--max_messages', value)}`,
    ],
  },
  '--targets': words('--targets', 'raw_records'),
  '--post_process': words('--post-processing', ''),
  '--fix_target': setting('--fix-target'),
  '--fix_resources': setting('--fix-resources'),
  '--ignore_checks': setting('--ignore-checks'),
  '--processor': same('--processor'),
  '--profile': same('--profile'),
  '--debug': setting('--debug'),
};

/** At most one of these, as there. */
const ACTIONS = ['--process', '--fail', '--abandon', '--undying'];
/** Fixed resources there, unless `--infer_mode` is given as well. */
const RESOURCES = ['--cores', '--max_messages'];
/** Spelled as a flag of this program is. */
const ITS_OWN = Object.keys(REFERENCE_FLAGS).filter(
  (flag) => flag.includes('_') || ['--production', '--undying', ...ACTIONS].includes(flag),
);

const NOT_IN_TEST =
  'without --production the reference would be in test mode; here that is `bootstrax run --test`';

/**
 * Reads `bootstrax run` as the reference would be called and gives what means the same here; all
 * other command lines stay as they are. `cores`: how many the machine has. Throws a usage error.
 */
export function translateReferenceFlags(args: readonly string[], cores: () => number): Translation {
  const at = commandAt(args);
  if (at === null && args.some((arg) => ITS_OWN.includes(nameOf(arg)))) {
    throw new CommandFailure(2, `these are flags of the manager: bootstrax run ${args.join(' ')}`);
  }
  if (at === null || args[at] !== 'run') return { args: [...args], notes: [] };
  const { found, others } = split(args.slice(at + 1));
  const given = [...found.keys()];
  const actions = given.filter((flag) => ACTIONS.includes(flag));
  if (actions.length > 1) {
    throw new CommandFailure(2, `${actions[1]} is not allowed with ${actions[0]}`);
  }
  const isTest = others.some((arg) => nameOf(arg) === '--test');
  if (isTest) refuseInTest(given, others);
  const settings = given.flatMap((flag) => {
    return REFERENCE_FLAGS[flag]?.settings?.(found.get(flag) ?? [], cores) ?? [];
  });
  if (given.some((flag) => RESOURCES.includes(flag)) && !found.has('--infer_mode')) {
    settings.push('--no-infer-mode');
  }
  const production = found.has('--production');
  const likeThere = given.some((flag) => ITS_OWN.includes(flag));
  return {
    args: [
      ...args.slice(0, at),
      ...(isTest ? ['run'] : command(found)),
      ...settings,
      ...others.map((arg) => (arg === '--test' ? tried(found) : arg)),
      ...reason(found),
    ],
    notes: [
      ...given.flatMap((flag) => REFERENCE_FLAGS[flag]?.note ?? []),
      ...(likeThere && !production && !isTest ? [NOT_IN_TEST] : []),
    ],
  };
}

function refuseInTest(given: readonly string[], others: readonly string[]): void {
  const refused = ['--production', '--delete_live', '--fail', '--abandon'];
  const clash =
    given.find((flag) => refused.includes(flag)) ?? others.find((flag) => flag === '--delete-live');
  if (clash === undefined) return;
  throw new CommandFailure(
    2,
    `${clash} is not allowed with --test, which changes nothing there is`,
  );
}

/** The command that the flags lead to. */
function command(found: ReadonlyMap<string, string[]>): string[] {
  const [process] = found.get('--process') ?? [];
  if (process !== undefined) return ['process', process, '--now'];
  for (const verb of ['fail', 'abandon']) {
    const [number] = found.get(`--${verb}`) ?? [];
    // As the reference does: in any state of the run, and without a question.
    if (number !== undefined)
      return [verb, number, ...(verb === 'fail' ? ['--even-done', '--yes'] : [])];
  }
  return ['run'];
}

function tried(found: ReadonlyMap<string, string[]>): string {
  const [process] = found.get('--process') ?? [];
  return process === undefined ? '--test' : `--test=${process}`;
}

/** Whatever it begins with, it is no flag. */
function reason(found: ReadonlyMap<string, string[]>): string[] {
  const [, ...text] = found.get('--fail') ?? found.get('--abandon') ?? [];
  return text.length === 0 ? [] : ['--', ...text];
}

function valuesBehind(args: readonly string[], at: number, most: number): string[] {
  const values: string[] = [];
  for (const next of args.slice(at + 1)) {
    if (values.length >= most || !isValue(next)) break;
    values.push(next);
  }
  return values;
}

/** The reference's flags with their values, the last of each; and everything else. */
function split(args: readonly string[]): { found: Map<string, string[]>; others: string[] } {
  const found = new Map<string, string[]>();
  const others: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? '';
    const flag = nameOf(arg);
    const takes = Object.hasOwn(REFERENCE_FLAGS, flag) ? REFERENCE_FLAGS[flag]?.takes : undefined;
    if (takes === undefined) {
      others.push(arg);
      // The value of another flag may be spelled like one of these.
      const value = args[i + 1];
      if (wantsValue(arg) && value !== undefined) others.push((i++, value));
      continue;
    }
    const following = arg.includes('=') ? [] : valuesBehind(args, i, MOST_VALUES[takes]);
    i += following.length;
    const values = arg.includes('=') ? [arg.slice(arg.indexOf('=') + 1)] : following;
    if (values.length === 0 && (takes === 'one' || takes === 'some')) {
      throw new CommandFailure(2, `${flag} needs ${takes === 'some' ? 'a run number' : 'a value'}`);
    }
    found.set(flag, values);
  }
  return { found, others };
}

/** Where the command's name stands; null: there is none. */
function commandAt(args: readonly string[]): number | null {
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? '';
    if (!arg.startsWith('-')) return i;
    if (wantsValue(arg)) i++;
  }
  return null;
}

/** Of this program's flags. */
function wantsValue(arg: string): boolean {
  if (arg.includes('=')) return false;
  if (arg === '--config') return true;
  return ENTRIES.some(
    ({ flag, earlier, setting: { kind } }) =>
      (flag === arg || earlier?.flag === arg) && kind !== 'boolean',
  );
}

function nameOf(arg: string): string {
  return arg.startsWith('--') && arg.includes('=') ? arg.slice(0, arg.indexOf('=')) : arg;
}

/** As there: a negative number is no flag. */
function isValue(arg: string): boolean {
  return !arg.startsWith('-') || /^-\d+$/.test(arg);
}

function wholeNumber(flag: string, text: string | undefined): number {
  if (text !== undefined && /^-?\d+$/.test(text)) return Number(text);
  throw new CommandFailure(2, `${flag}: "${text ?? ''}" is not a whole number`);
}
