import { describeSource, type Sources } from './configuration-error.ts';
import { maskUrl } from './connection.ts';
import { ENTRIES, type Settings } from './entries.ts';
import { type Setting, snakeCase } from './schema/setting.pure.ts';

/** One setting as `bootstrax config` shows it. */
export interface ShownSetting {
  /** As in the file, e.g. `paths.live_data`. */
  setting: string;
  /** Secrets masked. */
  value: unknown;
  /** `default`, or the file, variable or flag that gave it. */
  source: string;
  /** Null for tables and secrets, which only the file can hold. */
  env: string | null;
  flag: string | null;
}

/** Every setting with its effective value and where it came from. */
export function showSettings(settings: Settings, sources: Sources): ShownSetting[] {
  return ENTRIES.map(({ keys, path, env, flag, setting }) => {
    const value = keys.reduce<unknown>(
      (node, key) => (node as Record<string, unknown>)[key],
      settings,
    );
    const source = describeSource(sources[path] ?? { kind: 'default' });
    return { setting: path, value: shown(value, setting), source, env, flag };
  });
}

function shown(value: unknown, setting: Setting): unknown {
  if (setting.hidden && value !== null) return '***';
  if (setting.secret && typeof value === 'string') return maskUrl(value);
  return asWritten(value, setting);
}

/** A value with the names that its fields have in the file. */
export function asWritten(value: unknown, { kind, isOpen }: Setting): unknown {
  return kind === 'table' && !isOpen ? inSnakeCase(value) : value;
}

function inSnakeCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inSnakeCase);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => field !== null)
      .map(([key, field]) => [snakeCase(key), inSnakeCase(field)]),
  );
}
