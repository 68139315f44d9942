import { z } from 'zod';
import {
  defaultRules,
  type DetectorRule,
  type LadderRule,
  type ModeRule,
  type ResourceRow,
} from './rules.pure.ts';
import { boolean, choice, list, number, table, text } from './setting.ts';

const seconds = z.number().nonnegative();
const positive = z.number().positive();
const count = z.int().nonnegative();
const whole = z.int().positive();
const words = z.array(z.string().min(1));

/** Drops what is undefined: an absent key and an undefined one are not the same to the rules. */
function present<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(
    Object.entries(value).filter(([, field]) => field !== undefined),
  ) as never;
}

const modeRule = z
  .strictObject({
    substring: z.string().min(1),
    targets: words.min(1).optional(),
    post_processing: words.min(1).optional(),
    append: z.strictObject({ add: z.string().min(1), if_present: z.string().min(1) }).optional(),
    host_override: z.boolean().optional(),
  })
  .transform(
    (row) =>
      present({
        substring: row.substring,
        targets: row.targets,
        postProcessing: row.post_processing,
        append: row.append && { add: row.append.add, ifPresent: row.append.if_present },
        hostOverride: row.host_override,
      }) as ModeRule,
  );

const ladderRule: z.ZodType<LadderRule> = z.strictObject({
  pattern: z.string().min(1),
  failures: count,
});

const detectorRule: z.ZodType<DetectorRule> = z.strictObject({
  pattern: z.string().min(1),
  detector: z.string().min(1),
});

const resourceRow = z
  .strictObject({
    rate_mbps: z.number().nonnegative(),
    cores: whole,
    max_messages: whole,
    timeout_seconds: whole.optional(),
  })
  .transform((row): ResourceRow => ({
    rateMBps: row.rate_mbps,
    cores: row.cores,
    maxMessages: row.max_messages,
    timeoutSeconds: row.timeout_seconds ?? null,
  }));

const forcedRate = z
  .strictObject({ substring: z.string().min(1), rate_mbps: positive })
  .transform((row) => ({ substring: row.substring, rateMBps: row.rate_mbps }));

const { claim, targets, resources, retry, quarantine, debt, disk, memory, limits } = defaultRules;
const s = { unit: 's' };

/** The decision tables and limits; the defaults are the reference's, in `src/infra/config/rules.pure.ts`. */
export const RULES_TABLE = {
  claim: {
    overdueSeconds: number(
      seconds,
      claim.overdueSeconds,
      'A due run that has waited longer than this goes before newer ones.',
      s,
    ),
    mainDetector: text(
      claim.mainDetector,
      'New runs with this linked detector are taken by hosts according to their role; any host takes others.',
    ),
    backupQueueLength: number(
      count,
      claim.backupQueueLength,
      'Backup hosts help when more new runs than this wait.',
    ),
  },
  targets: {
    default: list([...targets.default], 'Data types to make.', { name: 'targets' }),
    postProcessing: list(
      [...targets.postProcessing],
      'Data types to make one by one after the targets.',
      { name: 'post-processing' },
    ),
    fixed: boolean(
      targets.fixed,
      'Make just these: no rule of mode, detector or failures changes them.',
      { name: 'fix-target' },
    ),
    shedding: choice(
      ['graded', 'reference'],
      targets.shedding,
      'How targets are dropped after failures: `graded`, fewer plugins at each rung by the plugin graph; `reference`, exactly the lists of straxen’s bootstrax.py.',
      { name: 'shedding' },
    ),
    rawRecordsAfter: number(
      count,
      targets.rawRecordsAfter,
      'From this many failures on only the last resort is made.',
    ),
    lastResort: text(
      targets.lastResort,
      'Data type that is made when nothing else can be: what the detectors sent.',
    ),
    rawTypes: list(
      [...targets.rawTypes],
      'Data types that tell whether a run is complete, in the order in which they are looked at.',
    ),
    detectors: table<readonly DetectorRule[]>(
      z.array(detectorRule),
      targets.detectors,
      'Data types that match the pattern are made only for runs with the detector: the first row that fits. A type that no row fits is made for all.',
      { rows: true },
    ),
    modes: table<readonly ModeRule[]>(
      z.array(modeRule),
      targets.modes,
      'Targets of special readout modes: the first row whose substring occurs in the mode applies.',
      { rows: true },
    ),
    ladder: table<readonly LadderRule[]>(
      z.array(ladderRule),
      targets.ladder,
      'A data type that matches the pattern is dropped once the failures exceed the number.',
      { rows: true },
    ),
  },
  resources: {
    byRate: boolean(
      resources.byRate,
      'Resources follow the data rate; otherwise every run gets those of `fallback`.',
      { name: 'infer-mode' },
    ),
    fixed: boolean(resources.fixed, 'Failures change neither resources nor compressor.', {
      name: 'fix-resources',
    }),
    fallback: {
      cores: number(whole, resources.fallback.cores, 'Cores when the data rate is not known.'),
      maxMessages: number(
        whole,
        resources.fallback.maxMessages,
        'Length of strax’s mailboxes when the data rate is not known.',
      ),
      timeoutSeconds: number(
        whole,
        resources.fallback.timeoutSeconds,
        'Time-out of strax’s mailboxes when the data rate is not known.',
        s,
      ),
    },
    failureFactor: number(
      z.number().min(1),
      resources.failureFactor,
      'Each failure divides cores and messages, and multiplies the time-out, by this.',
    ),
    memoryFailureFactor: number(
      z.number().min(1),
      resources.memoryFailureFactor,
      'Each failure for want of memory divides cores and messages by this besides.',
    ),
    clips: {
      cores: {
        min: number(whole, resources.clips.cores.min, 'Fewest cores after failures.'),
        max: number(whole, resources.clips.cores.max, 'Most cores after failures.'),
      },
      maxMessages: {
        min: number(whole, resources.clips.maxMessages.min, 'Fewest messages after failures.'),
        max: number(whole, resources.clips.maxMessages.max, 'Most messages after failures.'),
      },
      timeoutSeconds: {
        min: number(whole, resources.clips.timeoutSeconds.min, 'Least time-out after failures.', s),
        max: number(
          whole,
          resources.clips.timeoutSeconds.max,
          'Greatest time-out after failures.',
          s,
        ),
      },
    },
    compressor: {
      lowRateMBps: number(
        positive,
        resources.compressor.lowRateMBps,
        'Below this rate records are compressed with zstd.',
        { unit: 'MB/s' },
      ),
      largeChunkMB: number(
        positive,
        resources.compressor.largeChunkMB,
        'Records of chunks above this size, overlap included, are compressed with lz4.',
        { unit: 'MB' },
      ),
    },
    forcedRates: table(
      z.array(forcedRate),
      [...resources.forcedRates],
      'The known rate of modes that contain the substring is taken to be this, in MB/s.',
      { rows: true },
    ),
    tables: table<Readonly<Record<string, readonly ResourceRow[]>>>(
      z.record(z.string(), z.array(resourceRow).min(1)),
      resources.tables,
      'Cores, messages and time-out by data rate, by name; `host.resource_table` chooses. A row without time-out is interpolated.',
      { rows: true },
    ),
  },
  retry: {
    baseSeconds: number(positive, retry.baseSeconds, 'Wait after the first failure.', s),
    growth: number(
      z.number().min(1),
      retry.growth,
      'Each further failure multiplies the wait by this.',
    ),
    maxExponent: number(count, retry.maxExponent, 'The wait grows at most this many times.'),
    jitter: {
      min: number(positive, retry.jitter.min, 'The wait is multiplied by at least this.'),
      max: number(positive, retry.jitter.max, 'The wait is multiplied by at most this.'),
    },
    maxFailures: number(whole, retry.maxFailures, 'A run with this many failures is given up.'),
    uncounted: {
      firstSeconds: number(
        positive,
        retry.uncounted.firstSeconds,
        'First wait after an event that is not the run’s fault; doubles each time.',
        s,
      ),
      maxSeconds: number(positive, retry.uncounted.maxSeconds, 'Longest such wait.', s),
      maxInRow: number(
        whole,
        retry.uncounted.maxInRow,
        'So many such events in a row are taken without a counted failure.',
      ),
      maxHoldersLost: number(
        count,
        retry.uncounted.maxHoldersLost,
        'So often all processes of a run may vanish at once, as with their machine, before that counts.',
      ),
    },
  },
  quarantine: {
    runs: number(
      whole,
      quarantine.runs,
      'When so many different runs in a row have failed on this host, and runs succeed elsewhere, it stops claiming.',
    ),
    firstSeconds: number(
      positive,
      quarantine.firstSeconds,
      'After this long it tries one run; doubles with each further failure.',
      s,
    ),
    maxSeconds: number(positive, quarantine.maxSeconds, 'Longest such pause.', s),
  },
  debt: {
    offerWhenIdle: boolean(
      debt.offerWhenIdle,
      'An idle host makes the targets that its done runs lack, while no run waits; otherwise only those that a person offers (`bootstrax debt offer`).',
    ),
    maxTries: number(whole, debt.maxTries, 'So often at most for each run.'),
    lookBackSeconds: number(
      positive,
      debt.lookBackSeconds,
      'Runs that were done longer ago are offered only by a person.',
      s,
    ),
  },
  disk: {
    maxUsedPercent: number(
      z.number().min(1).max(100),
      disk.maxUsedPercent,
      'No run is taken unless less than this of the output disk is used.',
      { unit: '%' },
    ),
    minFreeBytes: number(
      z.number().nonnegative(),
      disk.minFreeBytes,
      'No run is taken unless more than this is free on the output disk.',
      { unit: 'bytes' },
    ),
    alarmSeconds: number(
      positive,
      disk.alarmSeconds,
      'A disk that has been full for so long is an alarm in the DAQ’s log.',
      s,
    ),
  },
  memory: {
    maxUsePercent: number(
      positive,
      memory.maxUsePercent,
      'An attempt is stopped and failed when it uses more than this of the memory of the machine, or of the manager’s control group, divided by the slots.',
      { unit: '%' },
    ),
    minAvailablePercent: number(
      z.number().min(0).max(100),
      memory.minAvailablePercent,
      'The largest attempt is stopped when less than this of the memory is available; no run is begun with less than twice that.',
      { unit: '%' },
    ),
  },
  limits: {
    busyLeaseSeconds: number(
      positive,
      limits.busyLeaseSeconds,
      'Another host’s busy run whose time stands still for longer is stale.',
      s,
    ),
    consideringLeaseSeconds: number(
      positive,
      limits.consideringLeaseSeconds,
      'The same for a run that is being considered.',
      s,
    ),
    renewSeconds: number(
      positive,
      limits.renewSeconds,
      'The time of an own run is renewed at this interval.',
      s,
    ),
    maxProcessingSeconds: number(
      positive,
      limits.maxProcessingSeconds,
      'An attempt that takes longer is stopped and failed; counted from the end of its run, and while the run is taken only without progress.',
      s,
    ),
    maxAfterEndSeconds: number(
      positive,
      limits.maxAfterEndSeconds,
      'An attempt is stopped and failed when both the run’s end and the attempt’s start are longer ago.',
      s,
    ),
    maxNoWriteSeconds: number(
      positive,
      limits.maxNoWriteSeconds,
      'An attempt that has written nothing for longer is stopped and failed.',
      s,
    ),
    coverageSeconds: number(
      positive,
      limits.coverageSeconds,
      'The data may cover less or more than the run by strictly less than this.',
      s,
    ),
    minRateAgeSeconds: number(
      seconds,
      limits.minRateAgeSeconds,
      'A run is at least this old before its data rate is asked for.',
      s,
    ),
    maxRateSeconds: number(
      seconds,
      limits.maxRateSeconds,
      'Asking for the data rate is given up after this long.',
      s,
    ),
    rateIntervalSeconds: number(
      positive,
      limits.rateIntervalSeconds,
      'Pause between two questions for the data rate.',
      s,
    ),
    registeredSeconds: number(
      seconds,
      limits.registeredSeconds,
      'After processing, data entries of this host whose folders are not there are waited for so long.',
      s,
    ),
    endOfRunSeconds: number(
      seconds,
      limits.endOfRunSeconds,
      'After processing, the end of the run in its document is waited for so long.',
      s,
    ),
    presumedDeadSeconds: number(
      positive,
      limits.presumedDeadSeconds,
      'A host without a life sign for this long counts as dead.',
      s,
    ),
    abandonDoneSeconds: number(
      seconds,
      limits.abandonDoneSeconds,
      'A done run may be abandoned by tag until this long after its start.',
      s,
    ),
    cleanUpSeconds: number(
      positive,
      limits.cleanUpSeconds,
      'Pause between two searches for what others or crashes left behind.',
      s,
    ),
    idlePollSeconds: number(
      positive,
      limits.idlePollSeconds,
      'Pause between two looks for work; where a change stream is answered meanwhile, six times that.',
      { unit: 's', name: 'poll-seconds' },
    ),
    orphanLimitSeconds: number(
      positive,
      limits.orphanLimitSeconds,
      'An attempt that has seen no manager for this long ends itself.',
      s,
    ),
    termGraceSeconds: number(
      positive,
      limits.termGraceSeconds,
      'A process that is told to end is killed after this long.',
      s,
    ),
    quietSeconds: number(
      seconds,
      limits.quietSeconds,
      'A folder of the run that does not say which attempt made it is removed before an attempt only if nothing in it has changed for this long.',
      s,
    ),
  },
} as const;
