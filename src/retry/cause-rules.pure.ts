import type { RaisedError } from './traceback.pure.ts';

/** Classes of causes: why an attempt failed. */
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
  /** Matches the class of the exception, without its module. */
  type?: RegExp;
  /** Matches the module of that class. */
  module?: RegExp;
  /** Excludes these modules. */
  notModule?: RegExp;
  message?: RegExp;
  /** Matches the file of any of its frames. */
  path?: RegExp;
  /** Matches the file of the frame that raised it. */
  innermost?: RegExp;
}

/** Errors of the operating system, of whichever Python class; '' is a message of the host itself. */
const OS_ERROR =
  /^(OSError|IOError|EnvironmentError|(BlockingIO|Permission|Timeout|FileExists|NotADirectory|IsADirectory|Interrupted|ChildProcess|ProcessLookup)Error|Error|ContextUnusable|)$/;
/** Clients of databases and services: their errors come from elsewhere, not from this host. */
const CLIENTS =
  /^(pymongo|bson|gridfs|requests|urllib3?|http|httpx|httpcore|aiohttp|ssl|rucio|botocore|boto3)\./;
/** Code that fetches and opens settings, corrections, maps and models, or reads run documents. */
export const SERVICES_AND_CALIBRATION =
  /\/(xedocs|rframe|utilix|pymongo|gridfs|requests|urllib3|httpx|aiohttp|rucio)\/|\/urllib\/request\.py$|\/straxen\/(config|corrections\w*)\/|\/straxen\/(corrections\w*|common|url_config)\.py$|\/straxen\/storage\/(mongo_storage|rundb|rucio\w*)\.py$|\/strax\/corrections\.py$|\/keras\/(src\/)?(saving|engine\/saving)|\/tensorflow\/python\/saved_model\//;
/** Exceptions of code that reads a format and finds another one, or half of it. */
const UNREADABLE =
  /^(JSONDecodeError|UnicodeDecodeError|UnpicklingError|EOFError|BadZipFile|BadGzipFile|ReadError|LZMAError|YAMLError|ParserError|ZstdError|LZ4\w*Error|DataLossError|OSError|error)$/;
const HALF_OR_FOREIGN =
  /file signature not found|truncated file|bad magic number|[Cc]ompressed (data|file) ended before|while decompressing|corrupt|invalid (load key|block|header)|not a (zip|gzip)/;
/** Code that allocates shared memory. */
const SHARED_MEMORY =
  /\/npshmex\.py$|\/multiprocessing\/(synchronize|shared_memory|heap|context)\.py$/;
/** Error number of the operating system: `[Errno 5]` in Python, `errno = 5` in HDF5. */
const errno = (numbers: string) => String.raw`(\[Errno (${numbers})\]|\berrno = (${numbers})\b)`;
const DISK_ERRNO = '1|5|6|13|16|18|19|27|28|30|37|39|61|70|74|107|112|116|117|121|122';
/** Error of a file, without a missing file and without the limits of a process. */
const OF_A_FILE = /\[Errno (?!(2|4|11|12|23|24|105)\])\d+\][^:]*: b?'/;

/** The first rule that fits decides. All conditions of a rule must hold. */
const RULES: readonly Rule[] = [
  // Frameworks use this name for any resource that runs out.
  { class: 'disk', type: /^ResourceExhaustedError$/, message: /No space left|[Qq]uota exceeded/ },
  {
    class: 'out_of_memory',
    type: /^(_?(Array)?MemoryError|ResourceExhaustedError|OutOfMemoryError)$/,
  },
  { class: 'out_of_memory', type: OS_ERROR, message: new RegExp(`${errno('12')}|\\bENOMEM\\b`) },
  {
    class: 'out_of_memory',
    type: OS_ERROR,
    message: /(\[Errno 28\]|\bENOSPC\b).*(\/dev\/shm|\bshm:)/,
  },
  { class: 'out_of_memory', type: OS_ERROR, message: /^\[Errno 28\]/, innermost: SHARED_MEMORY },
  { class: 'out_of_memory', type: /^$/, message: /of memory left of/ },
  {
    class: 'out_of_memory',
    notModule: CLIENTS,
    message:
      /std::bad_alloc|[Cc]an('t|not) allocate memory|[Nn]ot enough memory|\bOOM\b|\b[Oo]ut of memory\b|RESOURCE_EXHAUSTED|OUT_OF_MEMORY|STATUS_ALLOC_FAILED|Dst tensor is not initialized|[Ff]ailed to allocate|Unable to allocate [\d.]+ \w?i?B/,
  },

  { class: 'disk', type: /^OutputUnusable$/ },
  {
    class: 'disk',
    type: OS_ERROR,
    message: new RegExp(
      `${errno(DISK_ERRNO)}|\\b(EPERM|EIO|ENXIO|EACCES|ENODEV|ENOSPC|EROFS|ESTALE|EDQUOT)\\b|could not be written|is not writable|was removed`,
    ),
  },
  { class: 'disk', type: OS_ERROR, message: OF_A_FILE },
  // What only file servers say.
  { class: 'disk', type: OS_ERROR, message: /\[Errno \d{3}\] Unknown error/ },
  {
    class: 'disk',
    notModule: CLIENTS,
    message:
      /No space left on device|Read-only file system|Disk quota exceeded|Input\/output error|Stale (NFS )?file handle|Remote I\/O error|Transport endpoint is not connected|Structure needs cleaning/,
  },

  // A cache that cannot be written, or in which a process has left half a file: all others are well.
  { class: 'host', message: /cannot cache function .*no locator available/ },
  { class: 'host', innermost: /\/numba\/core\/(caching|serialize)\.py$/ },

  // Whoever it was who wanted one more.
  { class: 'host', message: /\[Errno (23|24)\]|can't start new thread/ },
  { class: 'calibration_or_database', module: CLIENTS },
  {
    class: 'calibration_or_database',
    type: /^(DatabasesUnreachable|gaierror|herror|URLError|ConnectionError|Connection(Refused|Reset|Aborted)Error|BrokenPipeError|RemoteDisconnected|IncompleteRead|SSL\w*Error|PyMongoCannotConnect|NewTokenError|APIError|CouldNotLoadError)$/,
  },
  {
    class: 'calibration_or_database',
    type: OS_ERROR,
    message: /\[Errno (-2|-3|-5|101|103|104|110|111|113)\]/,
  },
  { class: 'calibration_or_database', type: UNREADABLE, path: SERVICES_AND_CALIBRATION },
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

  {
    class: 'host',
    type: OS_ERROR,
    message: new RegExp(`${errno('11|23|24|105')}|\\b(EAGAIN|ENFILE|EMFILE)\\b`),
  },
  {
    class: 'host',
    message:
      /\bcu(DNN|BLAS|FFT|Solver)\b|\bcuda[A-Z]\w*\(|CU(DNN|BLAS|FFT|SOLVER)_STATUS|CUDA_ERROR|CUDA[- ](error|capable|driver)|Blas \w+ launch failed/,
  },

  {
    class: 'configuration',
    type: /^(ContextUnusable|UnknownTarget|InvalidConfiguration|ModuleNotFoundError|ImportError|PluginNotRegistered)$/,
  },
  { class: 'configuration', type: /^$/, message: /configur|Correct the setting|cannot be built/ },
  { class: 'configuration', innermost: /\/contexts\.py$|\/bootstrax_worker\/context\.py$/ },
  // Filters of HDF5 are plugins of its own.
  {
    class: 'configuration',
    innermost: /\/h5py\//,
    message: /can't open directory|filter .*not (registered|available)/,
  },
  {
    class: 'configuration',
    message: /cannot open shared object file|No plugin class registered|No threading layer/,
  },

  {
    class: 'input_not_ready',
    type: /^(InputTimeoutExceeded|DataNotAvailable|RunMetadataNotAvailable)$/,
  },
  {
    class: 'corrupt_data',
    type: /^(DataCorrupted|JSONDecodeError|IncompleteProduct|ZstdError|LZ4\w*Error|BadZipFile|BadGzipFile|LZMAError|DataLossError)$/,
  },
  {
    class: 'corrupt_data',
    message:
      /^(Bad data|LZ4F_\w+ failed|zstd |Invalid data stream)|filter returned failure|[Dd]ata corruption|it has no chunks/,
  },
  { class: 'corrupt_data', type: UNREADABLE, message: HALF_OR_FOREIGN },
  { class: 'corrupt_data', type: UNREADABLE, path: /\/strax\/storage\/files\.py$/ },
  { class: 'corrupt_data', type: /^OSError$/, innermost: /\/h5py\// },
  // There strax reads chunks, of the DAQ or its own.
  { class: 'corrupt_data', type: /^(ValueError|EOFError|error)$/, innermost: /\/strax\/io\.py$/ },
  { class: 'corrupt_data', path: /\/strax\/io\.py$/, message: HALF_OR_FOREIGN },
  { class: 'corrupt_data', path: /daqreader\.py$/, message: /wrote \d+, expected/ },
  // A missing chunk of strax, and one of the DAQ.
  {
    class: 'corrupt_data',
    type: /^FileNotFoundError$/,
    message: /\/\d{6,}-\w+-\w{10}\/|-metadata\.json/,
  },
  { class: 'input_not_ready', type: /^FileNotFoundError$/, message: /\/\d{6,}(\/|'|$)/ },

  { class: 'hang', type: /^Mailbox(Read|Full)Timeout$/ },
  {
    class: 'hang',
    type: /^TimeoutError$/,
    innermost: /\/(strax\/mailbox|concurrent\/futures\/\w+|multiprocessing\/\w+)\.py$/,
  },
  { class: 'hang', message: /^Thread .* did not terminate!|futures of .* did notcomplete in time/ },
];

/** The first class in the order of the rules: the most telling one. */
export function firstOf(
  found: readonly (CauseClass | null)[],
  accepted: (cause: CauseClass) => boolean = () => true,
): CauseClass | null {
  const rule = RULES.find((each) => accepted(each.class) && found.includes(each.class));
  return rule?.class ?? null;
}

/** Name of an exception without its module. */
export function nameOf(type: string): string {
  return type.slice(type.lastIndexOf('.') + 1);
}

/** The class that an exception alone points to; null if no rule fits. */
export function byItself({ type, message, frames }: Omit<RaisedError, 'ledTo'>): CauseClass | null {
  const innermost = frames.at(-1)?.path ?? '';
  const says = (pattern: RegExp | undefined, text: string) => pattern?.test(text) ?? true;
  const fits = (rule: Rule) =>
    says(rule.type, nameOf(type)) &&
    says(rule.module, type) &&
    rule.notModule?.test(type) !== true &&
    says(rule.message, message) &&
    (rule.path === undefined || frames.some(({ path }) => rule.path?.test(path))) &&
    says(rule.innermost, innermost);
  return RULES.find(fits)?.class ?? null;
}
