import { parse, TomlError } from 'smol-toml';

import type { ConfigurationError, Source } from './configuration-error.ts';
import { ENTRIES } from './entries.ts';
import { closest } from './suggest.pure.ts';

export interface ConfigurationFile {
  path: string;
  text: string;
  /** May nobody but its owner read it? */
  privateToOwner: boolean;
}

/** The values in the file by setting, under the names that they have there. */
export function readToml(
  { path, text }: ConfigurationFile,
  errors: ConfigurationError[],
): Map<string, unknown> {
  const found = new Map<string, unknown>();
  const source: Source = { kind: 'file', path };
  let content: Record<string, unknown>;
  try {
    content = parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const problem = error.message.split('\n')[0] ?? 'not TOML';
    errors.push({ setting: null, source, line: error.line, problem });
    return found;
  }
  const wrong = (setting: string, problem: string): void => {
    errors.push({ setting, source, line: lineOf(text, setting.split('.')), problem });
  };
  const walk = (node: Record<string, unknown>, above: string): void => {
    for (const [key, value] of Object.entries(node)) {
      const setting = above === '' ? key : `${above}.${key}`;
      if (KNOWN.has(setting)) {
        found.set(setting, value);
      } else if (!SECTIONS.has(setting)) {
        const meant = closest(setting, [...PATHS, ...SECTIONS]) ?? sameName(key);
        const hint = meant === null ? '' : `; did you mean ${meant}?`;
        wrong(setting, `there is no such setting${hint}`);
      } else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
        walk(value as Record<string, unknown>, setting);
      } else {
        wrong(setting, 'is a section and takes no value');
      }
    }
  };
  walk(content, '');
  return found;
}

/** The line of a setting, or of the innermost part of it that is in the file. */
export function lineOf(text: string, keys: readonly string[]): number | null {
  const within = keys.map((_, index) => keys.slice(0, keys.length - index));
  return within.map((part) => lineThatSets(text, part)).find((line) => line !== null) ?? null;
}

/**
 * The line on which something is set, counted from 1; null if it is not. The parser does not say it, so it is asked
 * with one line more each time, until the value is there: the statement began after the last text that it could read.
 */
function lineThatSets(text: string, keys: readonly string[]): number | null {
  const lines = text.split('\n');
  let first = 1;
  for (let count = 1; count <= lines.length; count++) {
    const content = parsed(lines.slice(0, count).join('\n'));
    if (content === null) continue;
    if (isSet(content, keys)) return first;
    first = count + 1;
  }
  return null;
}

const PATHS = ENTRIES.map(({ path }) => path);
const KNOWN = new Set([...PATHS, ...ENTRIES.flatMap(({ earlier }) => earlier?.path ?? [])]);
const SECTIONS = new Set(
  PATHS.flatMap((path) => {
    const keys = path.split('.');
    return keys.slice(1).map((_, depth) => keys.slice(0, depth + 1).join('.'));
  }),
);

/** A setting of the same name in another section. */
function sameName(key: string): string | null {
  return PATHS.find((path) => path.endsWith(`.${key}`)) ?? null;
}

function parsed(text: string): Record<string, unknown> | null {
  try {
    return parse(text);
  } catch {
    return null;
  }
}

function isSet(content: unknown, keys: readonly string[]): boolean {
  const [key, ...rest] = keys;
  if (key === undefined) return true;
  if (typeof content !== 'object' || content === null || !Object.hasOwn(content, key)) return false;
  return isSet((content as Record<string, unknown>)[key], rest);
}
