import type { RaisedError } from './traceback.ts';

/** What it means that an attempt ended as it did. */
export const CAUSE_CLASSES = [
  'out_of_memory',
  'hang',
  'input_not_ready',
  'corrupt_data',
  'plugin_error',
  'calibration_or_database',
  'disk',
  'configuration',
  'host',
  'operator',
  'manager',
  'vanished',
  'unknown',
] as const;
export type CauseClass = (typeof CAUSE_CLASSES)[number];

interface Rule {
  class: CauseClass;
  /** Of the exception's class, without its module. */
  type?: RegExp;
  /** Of the module in front of it. */
  module?: RegExp;
  message?: RegExp;
  path?: RegExp;
}

const OS_ERROR = /^(OSError|IOError|BlockingIOError|PermissionError|ContextUnusable|)$/;

/** In order: the first that fits. All that a rule names must fit. */
const RULES: readonly Rule[] = [
  { class: 'out_of_memory', type: /^_?(Array)?MemoryError$/ },
  { class: 'out_of_memory', type: OS_ERROR, message: /\[Errno 12\]|\bENOMEM\b/ },
  { class: 'out_of_memory', type: OS_ERROR, message: /(\[Errno 28\]|\bENOSPC\b).*\/dev\/shm/ },
  { class: 'out_of_memory', type: /^$/, message: /of memory left of/ },
  { class: 'out_of_memory', message: /std::bad_alloc|Cannot allocate memory/ },

  { class: 'disk', type: /^OutputUnusable$/ },
  {
    class: 'disk',
    type: OS_ERROR,
    message:
      /\[Errno (1|5|6|13|19|28|30|116|122)\]|\b(EPERM|EIO|ENXIO|EACCES|ENODEV|ENOSPC|EROFS|ESTALE|EDQUOT)\b|could not be written|is not writable|was removed/,
  },

  { class: 'calibration_or_database', module: /^(pymongo|bson|gridfs|requests|urllib3?|http)\./ },
  {
    class: 'calibration_or_database',
    type: /^(DatabasesUnreachable|gaierror|herror|URLError|Connection(Refused|Reset|Aborted)Error|BrokenPipeError|PyMongoCannotConnect|NewTokenError|APIError|CouldNotLoadError)$/,
  },
  {
    class: 'calibration_or_database',
    type: /^FileNotFoundError$/,
    message: /either not stored or we cannot download/,
  },
  {
    class: 'calibration_or_database',
    type: /^ContextUnusable$/,
    message:
      /ServerSelection|AutoReconnect|NetworkTimeout|OperationFailure|NotPrimary|Unreachable|ConnectionError|Max retries|No matching documents|cannot download/,
  },

  { class: 'host', type: OS_ERROR, message: /\[Errno (11|23|24)\]|\b(EAGAIN|ENFILE|EMFILE)\b/ },
  { class: 'host', type: /^RuntimeError$/, message: /can't start new thread/ },

  {
    class: 'configuration',
    type: /^(ContextUnusable|UnknownTarget|InvalidConfiguration|ModuleNotFoundError|ImportError|PluginNotRegistered)$/,
  },
  { class: 'configuration', type: /^$/, message: /configur|Correct the setting|cannot be built/ },

  {
    class: 'input_not_ready',
    type: /^(InputTimeoutExceeded|DataNotAvailable|RunMetadataNotAvailable)$/,
  },
  {
    class: 'corrupt_data',
    type: /^(DataCorrupted|JSONDecodeError|IncompleteProduct|ZstdError|LZ4\w*Error|blosc_extension\.error|BadZipFile)$/,
  },
  { class: 'corrupt_data', message: /^(Bad data|LZ4F_\w+ failed|zstd |Invalid data stream)/ },
  { class: 'corrupt_data', path: /daqreader\.py$/, message: /wrote \d+, expected/ },
  // A chunk that strax has stored, and one of the DAQ.
  {
    class: 'corrupt_data',
    type: /^FileNotFoundError$/,
    message: /\/\d{6,}-\w+-\w{10}\/|-metadata\.json/,
  },
  { class: 'input_not_ready', type: /^FileNotFoundError$/, message: /\/\d{6,}(\/|'|$)/ },

  { class: 'hang', type: /^Mailbox(Read|Full)Timeout$/ },
  { class: 'hang', message: /^Thread .* did not terminate!|futures of .* did notcomplete in time/ },
];

/** In the order of the rules: what says most goes first. */
export function firstOf(
  found: readonly (CauseClass | null)[],
  accepted: (cause: CauseClass) => boolean = () => true,
): CauseClass | null {
  const rule = RULES.find((each) => accepted(each.class) && found.includes(each.class));
  return rule?.class ?? null;
}

/** Of an exception, without its module. */
export function nameOf(type: string): string {
  return type.slice(type.lastIndexOf('.') + 1);
}

/** What an exception says by itself; null if it says nothing special. */
export function byItself({ type, message, frames }: Omit<RaisedError, 'ledTo'>): CauseClass | null {
  const fits = (rule: Rule) =>
    (rule.type?.test(nameOf(type)) ?? true) &&
    (rule.module?.test(type) ?? true) &&
    (rule.message?.test(message) ?? true) &&
    (rule.path === undefined || frames.some(({ path }) => rule.path?.test(path)));
  return RULES.find(fits)?.class ?? null;
}
