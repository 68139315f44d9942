/**
 * Everything a site may change about the decisions, and the defaults: the reference's tables and
 * constants. "Reference" is straxen's bootstrax.py 3.0.0; the numbers in brackets are the sections
 * of the written reference of its behaviour.
 */

/** `graded`: fewer plugins at each rung, by the plugin graph. `reference`: the reference's lists. */
export type Shedding = 'graded' | 'reference';

/** Targets of a readout mode; the first rule whose substring occurs in the mode applies (5.1). */
export interface ModeRule {
  readonly substring: string;
  /** Replaces the targets and, with `postProcessing`, the post-processing. */
  readonly targets?: readonly string[];
  readonly postProcessing?: readonly string[];
  /** Adds `add` to the targets if `ifPresent` is still wanted in either list. */
  readonly append?: { readonly add: string; readonly ifPresent: string };
  /** Targets and post-processing come from the DAQ's per-host configuration, if it has any (1.9). */
  readonly hostOverride?: boolean;
}

/** A type that matches `pattern` is dropped once the failures exceed `failures` (5.2). */
export interface LadderRule {
  /** Shell-style, case-sensitive. */
  readonly pattern: string;
  readonly failures: number;
}

/** A type that matches `pattern` is of interest only for runs with `detector` (5.1, step 4). */
export interface DetectorRule {
  /** Shell-style, case-sensitive. */
  readonly pattern: string;
  readonly detector: string;
}

/** One column of the resource table (6.1). */
export interface ResourceRow {
  readonly rateMBps: number;
  readonly cores: number;
  readonly maxMessages: number;
  /** null: interpolated between the rows that have one. */
  readonly timeoutSeconds: number | null;
}

export interface Clip {
  readonly min: number;
  readonly max: number;
}

export interface ClaimRules {
  /** Runs with this tag are not claimed by anybody. */
  readonly holdTag: string;
  /** Runs with this tag are never claimed and end abandoned. */
  readonly abandonTag: string;
  /** A due run that has waited longer goes before newer ones, seconds. */
  readonly overdueSeconds: number;
  /** New runs with this detector are for hosts by their role; any host takes others (2.2). */
  readonly mainDetector: string;
  /** Backup hosts help when more runs than this wait (3.2, 3.3). */
  readonly backupQueueLength: number;
}

export interface TargetRules {
  readonly default: readonly string[];
  readonly postProcessing: readonly string[];
  /** Just these: no rule of mode, detector or failures (7, `--fix_target`). */
  readonly fixed: boolean;
  readonly modes: readonly ModeRule[];
  readonly ladder: readonly LadderRule[];
  /** The first rule whose pattern fits a type; a type that none fits suits every run (5.1). */
  readonly detectors: readonly DetectorRule[];
  /** What is left when nothing else can be made. */
  readonly lastResort: string;
  /** Types that tell whether a run is complete, in the order in which they are looked at (4.7). */
  readonly rawTypes: readonly string[];
  readonly shedding: Shedding;
  /** From this many failures on only the last resort is made. */
  readonly rawRecordsAfter: number;
}

export interface ResourceRules {
  /** By name; a host chooses one. */
  readonly tables: Readonly<Record<string, readonly ResourceRow[]>>;
  /** By the data rate; else `fallback` for every run (7, `--infer_mode`). */
  readonly byRate: boolean;
  /** Failures change neither resources nor compressor (7, `--fix_resources`). */
  readonly fixed: boolean;
  /** Used where the data rate is not known (6.2). */
  readonly fallback: {
    readonly cores: number;
    readonly maxMessages: number;
    readonly timeoutSeconds: number;
  };
  /** Each failure divides cores and messages and multiplies the time-out by this (6.3). */
  readonly failureFactor: number;
  /** Each failure for want of memory divides cores and messages by this besides. */
  readonly memoryFailureFactor: number;
  /** Applied only after failures (6.3). */
  readonly clips: {
    readonly cores: Clip;
    readonly maxMessages: Clip;
    readonly timeoutSeconds: Clip;
  };
  /** A known rate is replaced for modes that contain the substring (6.2). */
  readonly forcedRates: readonly { readonly substring: string; readonly rateMBps: number }[];
  readonly compressor: {
    /** Below this rate `zstd`, MB/s (6.4). */
    readonly lowRateMBps: number;
    /** Chunks with their overlap above this size `lz4`, MB (6.4). */
    readonly largeChunkMB: number;
  };
}

export interface RetryRules {
  /** Delay after the first failure before jitter, seconds (2.4). */
  readonly baseSeconds: number;
  readonly growth: number;
  readonly maxExponent: number;
  /** The delay is multiplied by a number drawn evenly from this range. */
  readonly jitter: Clip;
  /** A run with this many failures is given up. */
  readonly maxFailures: number;
  /** Events that are not the run's fault: doubling delays, and a limit on how many in a row. */
  readonly uncounted: {
    readonly firstSeconds: number;
    readonly maxSeconds: number;
    readonly maxInRow: number;
    /** A run may vanish together with its holder so often before that counts. */
    readonly maxHoldersLost: number;
  };
}

/** A host on which run after run fails, while others succeed elsewhere, stops claiming for a while. */
export interface QuarantineRules {
  /** So many different runs must fail here in a row. */
  readonly runs: number;
  /** The first pause, from the last failure on; it doubles with each further failure, seconds. */
  readonly firstSeconds: number;
  readonly maxSeconds: number;
}

/** Making up for the targets that done runs lack. */
export interface DebtRules {
  /** Also without being asked, while no run waits. */
  readonly offerWhenIdle: boolean;
  /** Attempts at a debt once it is offered. */
  readonly maxTries: number;
  /** Older debts are offered only by a person, seconds. */
  readonly lookBackSeconds: number;
}

/** When an attempt is stopped, before the kernel stops whom it likes. */
export interface MemoryRules {
  /** Of the machine's or control group's memory, divided by the slots, percent. */
  readonly maxUsePercent: number;
  /** Less must not be available to the machine or control group, percent. */
  readonly minAvailablePercent: number;
}

export interface DiskRules {
  /** Of the output file system, percent, strictly below (3.6). */
  readonly maxUsedPercent: number;
  /** Strictly more must be free, bytes (3.6). */
  readonly minFreeBytes: number;
  /** A disk that has been full for so long is an alarm, seconds (3.6). */
  readonly alarmSeconds: number;
}

/** All in seconds (3.2). */
export interface LimitRules {
  /** A foreign busy run whose time stands still for longer is stale. */
  readonly busyLeaseSeconds: number;
  readonly consideringLeaseSeconds: number;
  /** A busy run's time is refreshed at this interval. */
  readonly renewSeconds: number;
  /** Counted from the run's end; while the run is taken, only without progress. */
  readonly maxProcessingSeconds: number;
  /** Counted from the run's end and from the child's start: both must be exceeded. */
  readonly maxAfterEndSeconds: number;
  readonly maxNoWriteSeconds: number;
  /** Data may cover less or more than the run by strictly less. */
  readonly coverageSeconds: number;
  /** A run is at least this old before its rate is asked for. */
  readonly minRateAgeSeconds: number;
  /** Asking for the rate is given up after this long. */
  readonly maxRateSeconds: number;
  readonly rateIntervalSeconds: number;
  /** Every data entry of this host must be on its disk within this time (4.7). */
  readonly registeredSeconds: number;
  /** After the child has finished, the run's `end` is waited for. */
  readonly endOfRunSeconds: number;
  /** A host without a life sign for this long counts as dead. */
  readonly presumedDeadSeconds: number;
  /** A done run may be abandoned by tag until this long after its start. */
  readonly abandonDoneSeconds: number;
  readonly cleanUpSeconds: number;
  readonly idlePollSeconds: number;
  /** A child that sees no manager for this long ends itself. */
  readonly orphanLimitSeconds: number;
  /** Between TERM and KILL. */
  readonly termGraceSeconds: number;
  /** Nothing in a folder that does not say who made it may have changed for this long. */
  readonly quietSeconds: number;
}

/** Names of tags are shared with the website and other programs (2.5): not a site's choice. */
export const HOLD_TAG = 'hold-processing';
export const ABANDON_TAG = 'abandon';

export interface Rules {
  readonly claim: ClaimRules;
  readonly targets: TargetRules;
  readonly resources: ResourceRules;
  readonly retry: RetryRules;
  readonly quarantine: QuarantineRules;
  readonly debt: DebtRules;
  readonly disk: DiskRules;
  readonly memory: MemoryRules;
  readonly limits: LimitRules;
}

const HOUR = 3600;

/** Rates of the resource table, MB/s (6.1). */
const RATES = [0, 70, 90, 110, 150, 220, 290, 360, 390, 420, 500, 550];
/** Only the first two and the last column have a time-out (6.1). */
const TIMEOUTS: Readonly<Record<number, number>> = { 0: 1200, 70: 1200, 550: 2400 };

function resourceTable(cores: readonly number[], messages: readonly number[]): ResourceRow[] {
  return RATES.map((rateMBps, i) => ({
    rateMBps,
    cores: cores[i] ?? 1,
    maxMessages: messages[i] ?? 1,
    timeoutSeconds: TIMEOUTS[rateMBps] ?? null,
  }));
}

/** The reference's defaults, apart from `shedding`, which is graded. */
export const defaultRules: Rules = {
  claim: {
    holdTag: HOLD_TAG,
    abandonTag: ABANDON_TAG,
    overdueSeconds: 6 * HOUR, // ours: the reference starves old runs (8.2)
    mainDetector: 'tpc', // 2.2
    backupQueueLength: 3, // 3.2
  },
  targets: {
    default: ['event_info', 'events_nv', 'events_mv', 'online_peak_monitor', 'veto_proximity'], // 5.1
    postProcessing: ['veto_intervals'], // 5.1
    fixed: false, // 7
    modes: [
      // 5.1, step 3
      { substring: 'pmtgain', targets: ['led_calibration'], postProcessing: ['raw_records'] },
      { substring: 'pmtap', targets: ['afterpulses'], postProcessing: ['raw_records'] },
      {
        substring: 'nVeto_LASER_calibration',
        targets: ['ref_mon_nv'],
        postProcessing: ['raw_records'],
      },
      ...['exttrig', 'noise', 'mv_diffuserballs', 'mv_fibres', 'mv_darkrate'].map((substring) => ({
        substring,
        targets: ['raw_records'],
        postProcessing: ['raw_records'],
      })),
      { substring: 'kr83m', append: { add: 'event_info_double', ifPresent: 'event_info' } },
      { substring: 'ambe', hostOverride: true },
    ],
    ladder: [
      // 5.2
      { pattern: 'event*', failures: 2 },
      { pattern: 'corrected_areas', failures: 2 },
      { pattern: 'energy_estimates', failures: 2 },
      { pattern: 'distinct_channels', failures: 2 },
      { pattern: '*pos*', failures: 3 },
      { pattern: 'individual_peak*', failures: 3 },
      { pattern: 'online_monitor_*v', failures: 3 },
      { pattern: 'peak_*', failures: 4 },
      { pattern: 'online_peak*', failures: 4 },
      { pattern: '*hit*', failures: 4 },
      { pattern: 'veto_*', failures: 4 },
      { pattern: '*pulse*', failures: 4 },
      { pattern: 'led_*', failures: 4 },
      { pattern: 'ext_timings_nv', failures: 4 },
      { pattern: 'merged_s2s*', failures: 5 },
      { pattern: 'peak*', failures: 6 },
      { pattern: 'lone_*', failures: 6 },
      { pattern: 'detector_time_*', failures: 6 },
      { pattern: '*', failures: 7 },
    ],
    detectors: [
      // 5.1, step 4
      { pattern: '*_nv', detector: 'neutron_veto' },
      { pattern: '*_mv', detector: 'muon_veto' },
      { pattern: '*', detector: 'tpc' },
    ],
    lastResort: 'raw_records', // 5.2
    rawTypes: ['raw_records', 'raw_records_he', 'raw_records_mv', 'raw_records_nv'], // 4.7
    shedding: 'graded',
    rawRecordsAfter: 8,
  },
  resources: {
    tables: {
      // 6.1: eb3-5, and the older machines
      new: resourceTable(
        [24, 24, 24, 24, 18, 15, 15, 15, 15, 15, 15, 10],
        [60, 60, 35, 30, 25, 25, 25, 25, 20, 15, 12, 12],
      ),
      old: resourceTable(
        [39, 35, 35, 30, 30, 20, 12, 12, 10, 10, 10, 8],
        [20, 20, 15, 15, 10, 10, 10, 10, 10, 10, 8, 6],
      ),
    },
    byRate: true, // ours: a flag there, which the recommended command line has (7)
    fixed: false, // 7
    fallback: { cores: 8, maxMessages: 10, timeoutSeconds: 1000 }, // 6.2, 7
    failureFactor: 1.1, // 6.3
    memoryFailureFactor: 2, // ours: 1.1 would need seven failures to halve anything
    clips: {
      // 6.3
      cores: { min: 4, max: 40 },
      maxMessages: { min: 4, max: 100 },
      timeoutSeconds: { min: 500, max: 3600 },
    },
    forcedRates: [{ substring: 'ambe', rateMBps: 550 }], // 6.2, step 4
    compressor: { lowRateMBps: 65, largeChunkMB: 1800 }, // 6.4
  },
  retry: {
    baseSeconds: 60, // 2.4
    growth: 5,
    maxExponent: 3,
    jitter: { min: 0.5, max: 1.5 },
    maxFailures: 10, // 3.2
    // ours: the reference counts all (8.3)
    uncounted: { firstSeconds: 10, maxSeconds: 600, maxInRow: 10, maxHoldersLost: 1 },
  },
  quarantine: { runs: 3, firstSeconds: 600, maxSeconds: 2 * HOUR }, // ours
  debt: { offerWhenIdle: false, maxTries: 3, lookBackSeconds: 7 * 24 * HOUR }, // ours
  disk: { maxUsedPercent: 95, minFreeBytes: 2 ** 40, alarmSeconds: 28 * HOUR }, // 3.6
  memory: { maxUsePercent: 85, minAvailablePercent: 3 }, // ours: the reference does not look (8.2)
  limits: {
    // 3.2 unless said otherwise
    busyLeaseSeconds: 120,
    consideringLeaseSeconds: 60,
    renewSeconds: 10,
    maxProcessingSeconds: 72 * HOUR,
    maxAfterEndSeconds: 13 * HOUR,
    maxNoWriteSeconds: 1800,
    coverageSeconds: 5,
    minRateAgeSeconds: 7.5,
    maxRateSeconds: 60,
    rateIntervalSeconds: 2, // 6.2
    registeredSeconds: 600,
    endOfRunSeconds: 600, // ours: the reference looks once (8.1)
    presumedDeadSeconds: 300,
    abandonDoneSeconds: 24 * HOUR,
    cleanUpSeconds: 60,
    idlePollSeconds: 10,
    orphanLimitSeconds: 900, // ours
    termGraceSeconds: 3,
    quietSeconds: 600, // ours
  },
};
