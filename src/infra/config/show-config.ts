import { maskUrl } from './connection.ts';
import { ENTRIES, type Settings } from './entries.ts';
import { describeSource, type Sources } from './resolve.ts';
import { snakeCase } from './setting.ts';

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
  const { rules, ...rest } = settings;
  const tree: unknown = { ...rest, ...rules };
  return ENTRIES.map(({ keys, path, env, flag, setting }) => {
    const value = keys.reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], tree);
    const source = describeSource(sources[path] ?? { kind: 'default' });
    return { setting: path, value: shown(value, setting), source, env, flag };
  });
}

function shown(
  value: unknown,
  setting: { secret?: boolean; hidden?: boolean; rows?: boolean },
): unknown {
  if (setting.hidden && value !== null) return '***';
  if (setting.secret && typeof value === 'string') return maskUrl(value);
  return setting.rows ? rowsInSnakeCase(value) : value;
}

function rowsInSnakeCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(rowsInSnakeCase);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => field !== null)
      .map(([key, field]) => [snakeCase(key), rowsInSnakeCase(field)]),
  );
}
