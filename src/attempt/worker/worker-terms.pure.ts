/**
 * What a fork server is made with, as far as its manager decides it. The next manager uses it only if
 * it would make one with the same. Files are the server's own matter: it says what has changed.
 */
export interface WorkerTerms extends Record<string, unknown> {
  /** Of this program. */
  release: string;
  python: string;
  pythonPath: string | null;
  workerDirectory: string;
  cacheDirectory: string;
  context: string;
  contextOptions: Record<string, unknown>;
  warmUp: boolean;
  orphanLimitSeconds: number;
  /** Where relative paths begin. */
  directory: string;
  environment: Record<string, string>;
  /** What processes inherit from their starter: limits, user, cores, control group. */
  inherited: Record<string, string>;
}

/** Variables that are different at each start or login, and say nothing to a context. */
const PASSING = new Set([
  ...['_', 'PWD', 'OLDPWD', 'SHLVL', 'TERM', 'COLORTERM', 'COLUMNS', 'LINES', 'WINDOWID', 'STY'],
  ...['TMUX', 'TMUX_PANE', 'XDG_SESSION_ID', 'DBUS_SESSION_BUS_ADDRESS', 'LS_COLORS'],
  ...['INVOCATION_ID', 'JOURNAL_STREAM', 'NOTIFY_SOCKET', 'WATCHDOG_PID', 'WATCHDOG_USEC'],
  ...['MAINPID', 'MANAGERPID', 'SYSTEMD_EXEC_PID', 'LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES'],
]);

/** The variables of a worker that could matter to it. */
export function lastingVariables(environment: NodeJS.ProcessEnv): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined || PASSING.has(name) || name.startsWith('SSH_')) continue;
    kept[name] = value;
  }
  return kept;
}

const NAMES: Readonly<Record<string, string>> = {
  release: 'the release of bootstrax',
  python: 'the Python interpreter',
  pythonPath: 'the folder of the site’s modules',
  workerDirectory: 'the folder of the worker',
  cacheDirectory: 'the folder for caches',
  context: 'the context',
  contextOptions: 'the options of the context',
  warmUp: 'the setting for the warm-up',
  orphanLimitSeconds: 'the orphan limit',
  directory: 'the working directory',
};

/** What a server that is there was made with other than it would be now, for a person; empty if nothing. */
export function differences(
  wanted: WorkerTerms,
  found: Readonly<Record<string, unknown>>,
): string[] {
  const keys = [...new Set([...Object.keys(wanted), ...Object.keys(found)])];
  return keys.flatMap((key) => {
    const [now, then] = [wanted[key], found[key]];
    if (asText(now) === asText(then)) return [];
    if (key === 'environment') return differing(now, then).map((name) => `the variable ${name}`);
    if (key === 'inherited') return differing(now, then);
    return [NAMES[key] ?? key];
  });
}

function differing(now: unknown, then: unknown): string[] {
  const [one, other] = [fieldsOf(now), fieldsOf(then)];
  const names = [...new Set([...Object.keys(one), ...Object.keys(other)])];
  return names.filter((name) => asText(one[name]) !== asText(other[name]));
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** JSON in which the order of names says nothing. */
function asText(value: unknown): string | undefined {
  return JSON.stringify(value, (_name, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
