import { z } from 'zod';

import { processIdentitySchema } from '../infra/linux/process-identity.pure.ts';
import { PROFILE_NAME } from '../infra/values/profile-name.pure.ts';

/**
 * The files of an attempt directory and the lines between manager and worker.
 *
 * These schemas are the one definition: `worker/bootstrax_worker/protocol.schema.json` is generated
 * from them (`npm run protocol`) and the Python worker checks against that file. Unknown fields are
 * accepted everywhere, so that the release before and the release after can read each other's files.
 */

export const PROTOCOL_VERSION = 1;

/** Files of all releases so far are understood; those of a later one are not, and say so. */
const versionSchema = z
  .int()
  .min(1)
  .max(PROTOCOL_VERSION, {
    error: ({ input }) =>
      `was written by a later release: it has version ${String(input)}, this one understands up to ${PROTOCOL_VERSION}`,
  });

/** Exit code of a child that could not write its result: its disk is full, or worse. */
export const EXIT_NO_RESULT = 74;

export const processorSchema = z.enum(['threaded_mailbox', 'single_thread']);
export type Processor = z.infer<typeof processorSchema>;

/** straxen's storage beside the output folder. */
export const frontendSchema = z.enum(['run_database', 'online_monitor']);
export type Frontend = z.infer<typeof frontendSchema>;

/** `plan.json`: all that one attempt at a run is told, written by the manager before the start. */
export const planSchema = z.looseObject({
  version: versionSchema,
  /** 24 hexadecimal digits, made at the claim. */
  attempt: z.string().regex(/^[0-9a-f]{24}$/),
  run: z.int().nonnegative(),
  /** `_id` of its run document as text; absent in what earlier releases wrote. */
  runDocument: z.string().nullish(),
  /** The run number as strax names it: six digits, zero-padded. */
  runId: z.string().regex(/^\d{6,}$/),
  host: z.string(),
  /** `module:function` that returns the strax context. */
  context: z.string(),
  contextOptions: z.record(z.string(), z.unknown()),
  targets: z.array(z.string()).min(1),
  postProcessing: z.array(z.string()),
  processor: processorSchema,
  cores: z.int().positive(),
  maxMessages: z.int().positive(),
  /** Timeout of strax's mailboxes. */
  timeoutSeconds: z.int().positive(),
  /** Compressor of the record types while they are stored. */
  recordsCompressor: z.enum(['lz4', 'zstd']),
  /** strax options taken from the run document (reference, section 4.2). */
  runConfig: z.record(z.string(), z.unknown()),
  liveDataDirectory: z.string(),
  outputDirectory: z.string(),
  /**
   * Where strax writes: a folder of this attempt alone, on the file system of the output folder, where
   * its products go once they are checked. Absent in plans of earlier releases: the output folder.
   */
  place: z.string().nullish(),
  /** Where it runs; absent: on its host. */
  executor: z.enum(['local', 'slurm']).nullish(),
  /** What its job asks for, if it is one. */
  job: z
    .looseObject({
      memoryBytes: z.number().positive(),
      seconds: z.number().positive(),
      /** Nodes that it must not use. */
      excluded: z.array(z.string()),
      /** Memory that the run is known to need; absent: nothing is known. */
      neededBytes: z.number().positive().nullish(),
    })
    .nullish(),
  /**
   * It makes up for what a done run lacks: folders that are there and stay, whatever becomes of it.
   * Absent for every other attempt.
   */
  keep: z.array(z.string()).nullish(),
  /**
   * Products that the run lists here and that stay until what this attempt makes is there: published,
   * it replaces those of its types. Absent: earlier products are gone before the attempt begins.
   */
  replaces: z.array(z.string()).nullish(),
  /** Counted failures of the run before this attempt: the rung of the ladder. */
  failures: z.int().nonnegative(),
  /** Targets wanted for this run that this attempt does not make. */
  dropped: z.array(z.string()),
  /** The child ends itself after this long without a sign of a manager. */
  orphanLimitSeconds: z.number().positive(),
  /** One sentence for each decision that shaped the plan. */
  reasons: z.array(z.string()),
  /** Profile the child: part of the name of the file in the attempt directory. */
  profile: z.string().regex(PROFILE_NAME).nullish(),
  /** Log what strax's mailboxes do. */
  debug: z.boolean().nullish(),
  /**
   * Live data that cannot be read does not end the attempt: what can be read is made, and the result
   * names the rest. Absent: such a file is an error.
   */
  salvage: z.boolean().nullish(),
  /** False: no process makes pictures of the data beside it. */
  pictures: z.boolean().nullish(),
  /** Opened in the child, with what utilix knows of databases. */
  frontends: z.array(frontendSchema).nullish(),
});
export type Plan = z.infer<typeof planSchema>;

/** `started.json`: written by the guardian, by rename, once the child exists. */
export const startedSchema = z.looseObject({
  version: versionSchema,
  attempt: z.string(),
  /** Leader of the attempt's session; waits for the child. */
  guardian: processIdentitySchema,
  /** Runs strax; leader of its own process group inside the guardian's session. */
  child: processIdentitySchema,
  /** Forked from a warm parent, or started cold. */
  warm: z.boolean(),
});
export type Started = z.infer<typeof startedSchema>;

export const phaseSchema = z.enum([
  'preparing',
  'waiting_for_data',
  'processing',
  'post_processing',
  'finishing',
]);

/** A folder that strax has begun to write: becomes a `data` entry of the run document. */
export const folderSchema = z.looseObject({
  type: z.string(),
  /** Final absolute path; while written it carries the suffix `_temp`. */
  location: z.string(),
  lineageHash: z.string(),
  lineage: z.record(z.string(), z.unknown()),
});
export type Folder = z.infer<typeof folderSchema>;

/**
 * One line of `progress.ndjson`. Each line carries the whole present state, so that the last line
 * is enough; `folder` is carried by the one line that announces it. The last line may be cut off.
 */
export const progressSchema = z.looseObject({
  /** Seconds since the child's start, monotonic. */
  t: z.number().nonnegative(),
  phase: phaseSchema,
  /** Chunks of live data read so far. */
  chunks: z.int().nonnegative(),
  /** Detector time read so far. */
  coveredSeconds: z.number().nonnegative(),
  /** Bytes written to the output folder by this attempt so far. */
  bytes: z.number().nonnegative(),
  /** Proportional set size of the child and its descendants. */
  memoryBytes: z.number().nonnegative(),
  /** When the first chunk of live data had been read, as `t`; null or absent before. */
  firstChunk: z.number().positive().nullish(),
  /** When the first chunk of a product was seen on disk, as `t`, to a second; null or absent before. */
  firstOutput: z.number().positive().nullish(),
  /** Type being post-processed, when `phase` is `post_processing`. */
  target: z.string().optional(),
  folder: folderSchema.optional(),
  /** Something a person should know that does not end the attempt. */
  warning: z.string().optional(),
});
export type Progress = z.infer<typeof progressSchema>;

/** One stored data type, as the child found it on disk after strax had finished. */
export const productSchema = z.looseObject({
  type: z.string(),
  location: z.string(),
  lineageHash: z.string(),
  lineage: z.record(z.string(), z.unknown()),
  chunks: z.int().nonnegative(),
  rows: z.int().nonnegative(),
  /** On disk, compressed. */
  bytes: z.int().nonnegative(),
  /** First start and last end over all chunks, ns since 1970 UTC, as decimal digits: they exceed 2^53. */
  startNs: z
    .string()
    .regex(/^-?\d+$/)
    .nullable(),
  endNs: z
    .string()
    .regex(/^-?\d+$/)
    .nullable(),
  /** First time and last end time of the rows, likewise; null or absent without rows. */
  firstTimeNs: z
    .string()
    .regex(/^-?\d+$/)
    .nullish(),
  lastTimeNs: z
    .string()
    .regex(/^-?\d+$/)
    .nullish(),
  /** Of the digests in the entries of its chunks; null or absent where they have none. */
  digest: z.string().nullish(),
});
export type Product = z.infer<typeof productSchema>;

/**
 * What an attempt has read of the live data. A stretch is a chunk, `000012`, or what is stored with
 * two chunks, `000012_post`. Lists are bounded; the counts are not.
 */
export const inputSchema = z.looseObject({
  /** False: a reader of the context's own has read something that nobody counted. */
  accounted: z.boolean(),
  /** Chunks and files read, bytes on disk, rows. */
  chunks: z.int().nonnegative(),
  files: z.int().nonnegative(),
  bytes: z.int().nonnegative(),
  rows: z.int().nonnegative(),
  /** Readers without all of their files in a stretch: strax accepts that once the run has ended. */
  missing: z.array(
    z.looseObject({ chunk: z.string(), reader: z.string(), files: z.int().nonnegative() }),
  ),
  missingCount: z.int().nonnegative(),
  /** Files that could not be read, or not to their end; `rows` of each could. */
  unreadable: z.array(
    z.looseObject({
      chunk: z.string(),
      reader: z.string(),
      file: z.string(),
      bytes: z.int().nonnegative(),
      rows: z.int().nonnegative(),
      problem: z.string(),
    }),
  ),
  unreadableCount: z.int().nonnegative(),
  /** Stretches with data that were not read at all: strax ends at the first chunk that is missing. */
  unread: z.array(z.looseObject({ chunk: z.string(), bytes: z.int().nonnegative() })),
  unreadCount: z.int().nonnegative(),
  /** Readers of which all files of a chunk were empty while others were busy. */
  quiet: z.array(
    z.looseObject({ reader: z.string(), chunks: z.int().nonnegative(), first: z.string() }),
  ),
});
export type Input = z.infer<typeof inputSchema>;

/** `result.json`: written by the child, by rename, after everything it made is forced to disk. */
export const resultSchema = z.looseObject({
  version: versionSchema,
  attempt: z.string(),
  run: z.int(),
  ok: z.boolean(),
  error: z
    .looseObject({
      /** Class of the exception, e.g. `ValueError`. */
      type: z.string(),
      message: z.string(),
      traceback: z.string(),
      /** Data type made by the plugin that raised, if the traceback names one. */
      plugin: z.string().nullable(),
      /** File that could not be read, if the error names one. */
      file: z.string().nullable(),
      /** Whose fault the child can tell by itself: its host's (disk, folder) or not. */
      origin: z.enum(['run', 'host']),
    })
    .nullable(),
  products: z.array(productSchema),
  /** Post-processing targets that the context does not know and that were skipped. */
  skipped: z.array(z.string()),
  /** What else a person should know of an attempt that has succeeded. */
  warnings: z.array(z.string()).nullish(),
  /** Null or absent where no live data was read, and in what earlier releases wrote. */
  input: inputSchema.nullish(),
  seconds: z.number().nonnegative(),
  peakMemoryBytes: z.number().nonnegative(),
  versions: z.record(z.string(), z.string()),
});
export type Result = z.infer<typeof resultSchema>;

/** `exit.json`: written by the guardian, by rename, when the child is gone. */
export const exitSchema = z.looseObject({
  version: versionSchema,
  attempt: z.string(),
  code: z.int().nullable(),
  signal: z.int().nullable(),
  /** The kernel ended a process of this attempt for want of memory. */
  outOfMemory: z.boolean(),
  /** The child ended itself: no manager was seen for the orphan limit, or it was superseded. */
  orphaned: z.boolean(),
  peakMemoryBytes: z.number().nonnegative(),
});
export type Exit = z.infer<typeof exitSchema>;

/** Why a manager ended an attempt. */
export const endedSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('timed_out'), which: z.enum(['processing', 'after_end']) }),
  z.object({ kind: z.literal('no_progress') }),
  /** Stopped before the kernel would have done it: what it used, what it may use, what the machine had left. */
  z.object({
    kind: z.literal('memory_limit'),
    bytes: z.number(),
    limitBytes: z.number(),
    availableBytes: z.number(),
  }),
  z.object({ kind: z.literal('host_problem'), reason: z.string() }),
  z.object({ kind: z.literal('operator'), reason: z.string() }),
  z.object({ kind: z.literal('superseded') }),
  z.object({ kind: z.literal('manager'), reason: z.string() }),
]);
export type Ended = z.infer<typeof endedSchema>;

/**
 * `ending.json`: written by a manager before it ends an attempt's processes, so that the next one
 * knows whose doing their end was.
 */
export const endingSchema = z.looseObject({
  version: versionSchema,
  attempt: z.string(),
  ended: endedSchema,
});
export type Ending = z.infer<typeof endingSchema>;

/**
 * `publishing.json`: written by a manager before the first checked product gets its place in the
 * output folder. Whoever finds it goes on with that, or takes it back.
 */
export const publishingSchema = z.looseObject({
  version: versionSchema,
  attempt: z.string(),
  /** Where the products belong: absolute paths. */
  locations: z.array(z.string()),
});
export type Publishing = z.infer<typeof publishingSchema>;

/** The context's plugins, reported by the worker once it has built the context. */
export const pluginGraphSchema = z.looseObject({
  version: versionSchema,
  context: z.string(),
  /** By data type. */
  types: z.record(
    z.string(),
    z.looseObject({
      /** Plugin class; one plugin may provide several types. */
      plugin: z.string(),
      dependsOn: z.array(z.string()),
      /** strax.SaveWhen: is the type stored when it is only implied by a target? */
      saved: z.enum(['never', 'explicit', 'target', 'always']),
    }),
  ),
  /** Types that the context forbids to make; `*` stands for all. Absent in what earlier releases wrote. */
  forbidden: z.array(z.string()).nullish(),
});
export type PluginGraph = z.infer<typeof pluginGraphSchema>;

/** Lines from the fork server to the manager. */
export const serverMessageSchema = z.discriminatedUnion('type', [
  /** To each manager, before anything else. */
  z.looseObject({
    type: z.literal('hello'),
    identity: processIdentitySchema,
    versions: z.record(z.string(), z.string()),
    /** What the manager that started it has said in `start`. */
    terms: z.record(z.string(), z.unknown()),
    /** Which of the files that it was made from are no longer the same. */
    changed: z.array(z.string()),
  }),
  z.looseObject({ type: z.literal('graph'), graph: pluginGraphSchema }),
  /** Ready to fork; `warm` false: children start cold, `why` says why. */
  z.looseObject({
    type: z.literal('ready'),
    warm: z.boolean(),
    seconds: z.number(),
    why: z.string().nullable(),
  }),
  /** The context cannot be built here; the server ends after this line. */
  z.looseObject({ type: z.literal('context_failed'), summary: z.string(), traceback: z.string() }),
  z.looseObject({
    type: z.literal('forked'),
    attempt: z.string(),
    guardian: processIdentitySchema,
    warm: z.boolean(),
    /** Why this one starts cold, if it does. */
    why: z.string().nullable(),
  }),
  z.looseObject({ type: z.literal('refused'), attempt: z.string(), reason: z.string() }),
  /** A hint that `exit.json` is there; the file is the truth. */
  z.looseObject({ type: z.literal('ended'), attempt: z.string() }),
  /** Another manager has connected: nothing more comes. */
  z.looseObject({ type: z.literal('replaced') }),
]);
export type ServerMessage = z.infer<typeof serverMessageSchema>;

/** Lines from the manager to the fork server, which lives on when they end. */
export const managerMessageSchema = z.discriminatedUnion('type', [
  /** From the manager that starts it, before anything else: what the server is made with. */
  z.looseObject({ type: z.literal('start'), terms: z.record(z.string(), z.unknown()) }),
  /** Start an attempt; asked again, the same answer. */
  z.looseObject({ type: z.literal('fork'), attempt: z.string(), directory: z.string() }),
  /** Take no attempt any more, and end once those are over that were started. */
  z.looseObject({ type: z.literal('retire') }),
]);
export type ManagerMessage = z.infer<typeof managerMessageSchema>;
