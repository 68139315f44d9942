import { CAUSE_CLASSES } from './cause-rules.pure.ts';

/** What keeps a run from being done: the cause of its failures, or why it is set aside. */
export const TROUBLES = [
  ...CAUSE_CLASSES,
  'end_not_written',
  'document',
  'live_data',
  'same_number',
] as const;
export type Trouble = (typeof TROUBLES)[number];

/** An action that helps. `again`: another attempt, with all targets; `drain`: its host takes no new run. */
export type Help = 'again' | 'drain';

/** What a person can do about a trouble. Each text is one or two sentences. */
export interface Advice {
  /** In a few words, for headlines: no path, no text of an exception. */
  says: string;
  check: string;
  /** What helps as things are; null: no button does. */
  press: Help | null;
  /** What brings the run back once the cause is corrected. */
  then: 'again' | 'by_itself' | 'renumber';
  /** What not to do, and why; null: nothing does harm. */
  not: string | null;
  /** Whom to call. */
  call: string;
}

const DAQ = 'the DAQ expert';
const ANALYSIS = 'the analysis expert';
const COMPUTING = 'the computing expert';

const ADVICE: Readonly<Record<Trouble, Advice>> = {
  out_of_memory: {
    says: 'out of memory',
    check: 'Compare its peak memory with the limit of its host, and what else uses memory there.',
    press: null,
    then: 'again',
    not: 'Do not reprocess it on the same hosts with the same limits: it needs as much memory again.',
    call: COMPUTING,
  },
  hang: {
    says: 'the processing hangs',
    check: 'Read the stacks at the end of its log: they show where it stands still.',
    press: null,
    then: 'again',
    not: 'Do not reprocess it before that is known: it stands still at the same place again.',
    call: ANALYSIS,
  },
  input_not_ready: {
    says: 'live data is missing',
    check:
      'Check that the readers have written all chunks, and that the disk of the live data answers.',
    press: null,
    then: 'again',
    not: 'Do not reprocess it before the files are there: it waits for the same files again.',
    call: DAQ,
  },
  end_not_written: {
    says: 'the DAQ never wrote its end',
    check:
      'Check why the DAQ has written no end: the field “end” of the document, and THE_END in the live data.',
    press: null,
    then: 'again',
    not: 'Do not reprocess it before the end is written: it waits for the end again.',
    call: DAQ,
  },
  corrupt_data: {
    says: 'corrupt data',
    check: 'Compare the file that its log names with what the DAQ has written.',
    press: null,
    then: 'again',
    not: 'Do not reprocess it before the file is replaced: the same file fails again.',
    call: DAQ,
  },
  plugin_error: {
    says: 'error in a plugin',
    check: 'Read its traceback, and whether other runs fail in the same plugin.',
    press: null,
    then: 'again',
    not: 'Do not reprocess it with the same version of the plugin: the plugin fails again.',
    call: ANALYSIS,
  },
  calibration_or_database: {
    says: 'missing calibration or database',
    check:
      'Check that the databases of the calibration answer, and that they cover the time of this run.',
    press: null,
    then: 'again',
    not: 'Do not reprocess it before they do: it misses the same values again.',
    call: ANALYSIS,
  },
  disk: {
    says: 'trouble with the disk of its host',
    check: 'Check space, rights and health of the disks of its host.',
    press: 'drain',
    then: 'again',
    not: 'Do not reprocess it while that host takes runs: the disk refuses it again.',
    call: COMPUTING,
  },
  configuration: {
    says: 'wrong configuration',
    check:
      'Correct targets or context in the configuration of the hosts: bootstrax doctor names what is wrong.',
    press: null,
    then: 'again',
    not: 'Do not reprocess it before that: the same configuration fails again.',
    call: COMPUTING,
  },
  host: {
    says: 'trouble with its host',
    check: 'Check its host: processes, open files, caches and graphics card, as its log says.',
    press: 'drain',
    then: 'again',
    not: 'Do not reprocess it while that host takes runs: it fails there again.',
    call: COMPUTING,
  },
  operator: {
    says: 'stopped by a person',
    check: 'Read in its actions who stopped it and why.',
    press: 'again',
    then: 'again',
    not: null,
    call: 'the person who stopped it',
  },
  manager: {
    says: 'stopped with its manager',
    check: 'Check that the manager of its host runs, and that it stays up.',
    press: 'again',
    then: 'again',
    not: null,
    call: COMPUTING,
  },
  vanished: {
    says: 'its processes vanished',
    check:
      'Read the kernel log of its host: did the machine restart, or were all processes killed at once?',
    press: null,
    then: 'again',
    not: 'Do not reprocess it before that is known: it may bring down the next host.',
    call: COMPUTING,
  },
  unknown: {
    says: 'unknown error',
    check: 'Read the end of its log and its traceback.',
    press: null,
    then: 'again',
    not: 'Do not reprocess it before the error is understood: it is likely to fail again.',
    call: ANALYSIS,
  },
  document: {
    says: 'its document must be corrected',
    check: 'Correct the named fields in the document of the run.',
    press: null,
    then: 'by_itself',
    not: 'Do not retry it before that: no host can read the document.',
    call: DAQ,
  },
  live_data: {
    says: 'its live data cannot be read',
    check: 'Check the folder of its live data: is it mounted, is it complete, was it deleted?',
    press: null,
    then: 'by_itself',
    not: 'Do not retry it before that: there is nothing to read.',
    call: DAQ,
  },
  same_number: {
    says: 'several documents have its number',
    check: 'Find out which document is the right one.',
    press: null,
    then: 'renumber',
    not: 'Do not retry it: only one document of a number is processed.',
    call: DAQ,
  },
};

/** The advice for a trouble; `plugin`: the data type whose plugin raised the error. */
export function adviceFor(trouble: Trouble, plugin: string | null = null): Advice {
  const advice = ADVICE[trouble];
  const isPlugins = trouble === 'plugin_error' && plugin !== null;
  return isPlugins ? { ...advice, says: `error in the plugin of ${plugin}` } : advice;
}

/** The run that an advice is about. */
export interface AdvisedRun {
  /** Its number, or the id of its document. */
  name: string;
  /** Given up: only a retry from the start brings it back. */
  isGivenUp: boolean;
}

/** The command that brings a run back, or what does. */
export function backText({ then }: Advice, { name, isGivenUp }: AdvisedRun): string {
  switch (then) {
    case 'again':
      return `Once that is done: bootstrax retry ${name}${isGivenUp ? ' --from-start' : ''}`;
    case 'by_itself':
      return `A host then tries it again by itself; or: bootstrax retry ${name}`;
    case 'renumber':
      return 'Give the wrong one another number: bootstrax renumber DOCUMENT NUMBER --reason TEXT';
  }
}

/** All of it as text, for logs, messages and commands. */
export function adviceText(advice: Advice, run: AdvisedRun): string {
  const { check, not, call } = advice;
  return [check, ...(not === null ? [] : [not]), `Call ${call}.`, backText(advice, run)].join(' ');
}
