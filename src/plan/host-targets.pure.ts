import { boundedLine } from '../infra/values/bounded.pure.ts';
import { isMissing, isObject } from '../infra/values/bson-values.pure.ts';
import type { HostTargets } from './targets.pure.ts';

/** Characters of a host's name by which the DAQ's configuration knows it: `eb3`. */
const KEY_LENGTH = 3;
/** Name of the mode that means the targets of this program's configuration. */
const DEFAULT_MODE = 'default';
/** Bounds that no real context reaches: number of data types, characters of a name. */
const MOST_TYPES = 500;
const LONGEST_NAME = 200;

export type HostTargetsAnswer =
  | { kind: 'default' }
  | { kind: 'targets'; hostTargets: HostTargets }
  /** The document cannot be understood: the default targets are used, and a person must correct it. */
  | { kind: 'broken'; problem: string };

/**
 * The targets of a host in the DAQ's configuration of event builders (`daq.bootstrax_config`, reference,
 * section 1.9). `document` as stored; null if there is none.
 */
export function hostTargetsOf(document: unknown, host: string): HostTargetsAnswer {
  const broken = (problem: string): HostTargetsAnswer => ({ kind: 'broken', problem });
  if (!isObject(document)) return broken('there is no such document');
  const { ambe_modes: modes, modes_definitions: definitions } = document;
  if (!isObject(modes)) return broken('ambe_modes is not an object');
  const key = host.slice(0, KEY_LENGTH);
  const mode = Object.hasOwn(modes, key) ? modes[key] : null;
  if (isMissing(mode) || mode === DEFAULT_MODE) return { kind: 'default' };
  if (typeof mode !== 'string') return broken(`ambe_modes.${key} is not a string`);
  if (!isObject(definitions)) return broken('modes_definitions is not an object');
  const definition = Object.hasOwn(definitions, mode) ? definitions[mode] : null;
  const at = `modes_definitions.${boundedLine(mode, LONGEST_NAME)}`;
  if (!isObject(definition)) return broken(`${at} is not an object`);
  const targets = readTypes(definition.targets);
  if (targets === null) return broken(`${at}.targets is not a list of data types`);
  const postProcessing = readTypes(definition.post_process);
  if (postProcessing === null) return broken(`${at}.post_process is not a list of data types`);
  return { kind: 'targets', hostTargets: { targets, postProcessing } };
}

/** Data types as strax accepts them: a list, or the name of one type. */
function readTypes(value: unknown): readonly string[] | null {
  const types: unknown[] = Array.isArray(value) ? value : [value];
  return types.length <= MOST_TYPES && types.every(isNameOfType) ? types : null;
}

function isNameOfType(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= LONGEST_NAME;
}
