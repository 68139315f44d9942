import { z } from 'zod';

import { boolean, choice, list, number, row, table, text } from './setting.pure.ts';

const positive = z.number().positive();
const count = z.int().nonnegative();
const whole = z.int().positive();
const word = z.string().min(1);
const words = z.array(word);
const HOUR = 3600;

const modeRule = row({
  substring: word,
  targets: z.exactOptional(words.min(1)),
  postProcessing: z.exactOptional(words.min(1)),
  /** Adds `add` to the targets if `ifPresent` is still wanted in either list. */
  append: z.exactOptional(row({ add: word, ifPresent: word })),
  /** Targets and post-processing come from the DAQ's per-host configuration, if it has any (1.9). */
  hostOverride: z.exactOptional(z.boolean()),
});

const ladderRule = row({ pattern: word, failures: count });
const detectorRule = row({ pattern: word, detector: word });
const forcedRate = row({ substring: word, rateMBps: positive });

const resourceRow = row({
  rateMBps: z.number().nonnegative(),
  cores: whole,
  maxMessages: whole,
  /** null: interpolated between the rows that have one. */
  timeoutSeconds: whole.nullable().default(null),
});

/** Data rates of the rows of the resource tables, MB/s (6.1). */
const RATES = [0, 70, 90, 110, 150, 220, 290, 360, 390, 420, 500, 550];
/** Only the first two rows and the last have a timeout (6.1). */
const TIMEOUTS: Readonly<Record<number, number>> = { 0: 1200, 70: 1200, 550: 2400 };

function resourceRows(cores: readonly number[], messages: readonly number[]) {
  return RATES.map((rateMBps, i) => ({
    rateMBps,
    cores: cores[i] ?? 1,
    maxMessages: messages[i] ?? 1,
    timeoutSeconds: TIMEOUTS[rateMBps] ?? null,
  }));
}

/**
 * Which run is claimed, what is made of it, and with how much. The defaults are those of the reference, straxen's
 * bootstrax.py 3.0.0; numbers in comments are sections of the written reference of its behaviour.
 */
export const DECISION_SETTINGS = z.strictObject({
  claim: z.strictObject({
    overdueSeconds: number(z.number().nonnegative(), {
      default: 6 * HOUR, // ours: the reference starves old runs (8.2)
      unit: 's',
      description: 'A due run that has waited longer than this goes before newer ones.',
    }),
    mainDetector: text({
      default: 'tpc', // 2.2
      description:
        'New runs with this detector are claimed by hosts according to their roles. Every host claims others.',
    }),
    backupQueueLength: number(count, {
      default: 3, // 3.2, 3.3
      description: 'Backup hosts help when more new runs than this wait.',
    }),
  }),
  targets: z.strictObject({
    default: list({
      name: 'targets',
      default: ['event_info', 'events_nv', 'events_mv', 'online_peak_monitor', 'veto_proximity'], // 5.1
      description: 'Data types that are made of each run.',
    }),
    postProcessing: list({
      name: 'post-processing',
      default: ['veto_intervals'], // 5.1
      description: 'Data types that are made one by one after the targets.',
    }),
    fixed: boolean({
      name: 'fix-target',
      default: false, // 7
      description:
        'Make exactly these targets: neither run mode nor detectors nor failures change them.',
    }),
    shedding: choice(['graded', 'reference'], {
      name: 'shedding',
      default: 'graded',
      description:
        'How targets are dropped after failures. `graded`: at each rung fewer plugins, by the plugin graph. `reference`: exactly by the lists of straxen’s bootstrax.py.',
    }),
    rawRecordsAfter: number(count, {
      default: 8,
      description: 'From this number of failures on only the last resort is made.',
    }),
    lastResort: text({
      default: 'raw_records', // 5.2
      description: 'Data type that is made when nothing else can be made.',
    }),
    rawTypes: list({
      default: ['raw_records', 'raw_records_he', 'raw_records_mv', 'raw_records_nv'], // 4.7
      description: 'Data types that show whether a run is complete, in the order of the checks.',
    }),
    detectors: table(z.array(detectorRule), {
      default: [
        // 5.1, step 4
        { pattern: '*_nv', detector: 'neutron_veto' },
        { pattern: '*_mv', detector: 'muon_veto' },
        { pattern: '*', detector: 'tpc' },
      ],
      description:
        'A data type that matches the pattern is made only of runs with the detector. The first row that matches counts; a type that no row matches is made of all runs.',
    }),
    modes: table(z.array(modeRule), {
      default: [
        // 5.1, step 3
        { substring: 'pmtgain', targets: ['led_calibration'], postProcessing: ['raw_records'] },
        { substring: 'pmtap', targets: ['afterpulses'], postProcessing: ['raw_records'] },
        {
          substring: 'nVeto_LASER_calibration',
          targets: ['ref_mon_nv'],
          postProcessing: ['raw_records'],
        },
        ...['exttrig', 'noise', 'mv_diffuserballs', 'mv_fibres', 'mv_darkrate'].map(
          (substring) => ({
            substring,
            targets: ['raw_records'],
            postProcessing: ['raw_records'],
          }),
        ),
        { substring: 'kr83m', append: { add: 'event_info_double', ifPresent: 'event_info' } },
        { substring: 'ambe', hostOverride: true },
      ],
      description:
        'Targets of special run modes. The first row whose substring occurs in the mode counts.',
    }),
    ladder: table(z.array(ladderRule), {
      default: [
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
      description:
        'A data type that matches the pattern is dropped when the run has more failures than the number.',
    }),
  }),
  resources: z.strictObject({
    byRate: boolean({
      name: 'infer-mode',
      default: true, // ours: a flag there, which the recommended command line has (7)
      description:
        'Choose cores, messages and timeout by the data rate. Otherwise each run gets those of `fallback`.',
    }),
    fixed: boolean({
      name: 'fix-resources',
      default: false, // 7
      description: 'Keep cores, messages, timeout and compressor as they are after failures.',
    }),
    fallback: z.strictObject({
      // 6.2, 7
      cores: number(whole, {
        default: 8,
        description: 'Cores when the data rate is not known.',
      }),
      maxMessages: number(whole, {
        default: 10,
        description: 'Length of strax’s mailboxes when the data rate is not known.',
      }),
      timeoutSeconds: number(whole, {
        default: 1000,
        unit: 's',
        description: 'Timeout of strax’s mailboxes when the data rate is not known.',
      }),
    }),
    failureFactor: number(z.number().min(1), {
      default: 1.1, // 6.3
      description: 'Each failure divides cores and messages, and multiplies the timeout, by this.',
    }),
    memoryFailureFactor: number(z.number().min(1), {
      default: 2, // ours: 1.1 would need seven failures to halve anything
      description: 'Each failure for lack of memory divides cores and messages by this as well.',
    }),
    clips: z.strictObject({
      // 6.3
      cores: z.strictObject({
        min: number(whole, { default: 4, description: 'Fewest cores after failures.' }),
        max: number(whole, { default: 40, description: 'Most cores after failures.' }),
      }),
      maxMessages: z.strictObject({
        min: number(whole, { default: 4, description: 'Fewest messages after failures.' }),
        max: number(whole, { default: 100, description: 'Most messages after failures.' }),
      }),
      timeoutSeconds: z.strictObject({
        min: number(whole, {
          default: 500,
          unit: 's',
          description: 'Shortest timeout after failures.',
        }),
        max: number(whole, {
          default: 3600,
          unit: 's',
          description: 'Longest timeout after failures.',
        }),
      }),
    }),
    compressor: z.strictObject({
      // 6.4
      lowRateMBps: number(positive, {
        default: 65,
        unit: 'MB/s',
        description: 'Records of runs with a lower data rate than this are compressed with zstd.',
      }),
      largeChunkMB: number(positive, {
        default: 1800,
        unit: 'MB',
        description:
          'Records in chunks larger than this, with their overlap, are compressed with lz4.',
      }),
    }),
    forcedRates: table(z.array(forcedRate), {
      default: [{ substring: 'ambe', rateMBps: 550 }], // 6.2, step 4
      description: 'Data rates in MB/s that replace the known one in run modes with the substring.',
    }),
    tables: table(z.record(z.string(), z.array(resourceRow).min(1)), {
      default: {
        // 6.1: eb3-5, and the older machines
        new: resourceRows(
          [24, 24, 24, 24, 18, 15, 15, 15, 15, 15, 15, 10],
          [60, 60, 35, 30, 25, 25, 25, 25, 20, 15, 12, 12],
        ),
        old: resourceRows(
          [39, 35, 35, 30, 30, 20, 12, 12, 10, 10, 10, 8],
          [20, 20, 15, 15, 10, 10, 10, 10, 10, 10, 8, 6],
        ),
      },
      description:
        'Tables of cores, messages and timeout by data rate; `host.resource_table` chooses one by its name. A row without a timeout gets an interpolated one.',
    }),
  }),
});
