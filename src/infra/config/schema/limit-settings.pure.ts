import { z } from 'zod';

import { boolean, number } from './setting.pure.ts';

const positive = z.number().positive();
const notNegative = z.number().nonnegative();
const count = z.int().nonnegative();
const whole = z.int().positive();
const HOUR = 3600;

/**
 * How often and how long. The defaults are those of the reference, straxen's bootstrax.py 3.0.0; numbers in comments
 * are sections of the written reference of its behaviour.
 */
export const LIMIT_SETTINGS = z.strictObject({
  retry: z.strictObject({
    // 2.4
    baseSeconds: number(positive, {
      default: 60,
      unit: 's',
      description: 'Wait after the first failure.',
    }),
    growth: number(z.number().min(1), {
      default: 5,
      description: 'Each further failure multiplies the wait by this.',
    }),
    maxExponent: number(count, {
      default: 3,
      description: 'The wait is multiplied at most this many times.',
    }),
    jitter: z.strictObject({
      min: number(positive, {
        default: 0.5,
        description: 'Smallest random factor of the wait.',
      }),
      max: number(positive, {
        default: 1.5,
        description: 'Largest random factor of the wait.',
      }),
    }),
    maxFailures: number(whole, {
      default: 10, // 3.2
      description: 'A run with this many failures is given up.',
    }),
    uncounted: z.strictObject({
      // ours: the reference counts all (8.3)
      firstSeconds: number(positive, {
        default: 10,
        unit: 's',
        description:
          'Wait after the first attempt that did not count. It doubles with each further one.',
      }),
      maxSeconds: number(positive, {
        default: 600,
        unit: 's',
        description: 'Longest wait after an attempt that did not count.',
      }),
      maxInRow: number(whole, {
        default: 10,
        description: 'After this many attempts in a row that did not count the next one counts.',
      }),
      maxHoldersLost: number(count, {
        default: 1,
        description:
          'All processes of a run may vanish at once, as when a machine dies, this many times before that counts.',
      }),
    }),
  }),
  quarantine: z.strictObject({
    // ours
    runs: number(whole, {
      default: 3,
      description:
        'A host claims no more runs when this many different runs in a row have failed on it while other hosts finish some.',
    }),
    firstSeconds: number(positive, {
      default: 600,
      unit: 's',
      description:
        'After this time from the last failure the host tries one run. The time doubles with each further failure.',
    }),
    maxSeconds: number(positive, {
      default: 2 * HOUR,
      unit: 's',
      description: 'Longest time before a host in quarantine tries a run.',
    }),
  }),
  debt: z.strictObject({
    // ours
    offerWhenIdle: boolean({
      default: false,
      description:
        'An idle host makes the targets that its done runs lack, while no run waits. Otherwise it makes only those that a person offers (`bootstrax debt offer`).',
    }),
    maxTries: number(whole, {
      default: 3,
      description: 'Attempts at the debt of one run, counted from its offer.',
    }),
    lookBackSeconds: number(positive, {
      default: 7 * 24 * HOUR,
      unit: 's',
      description: 'The debt of a run that was done longer ago is offered only by a person.',
    }),
  }),
  disk: z.strictObject({
    // 3.6
    maxUsedPercent: number(z.number().min(1).max(100), {
      default: 95,
      unit: '%',
      description: 'No run is claimed unless less than this of the output disk is used.',
    }),
    minFreeBytes: number(notNegative, {
      default: 2 ** 40,
      unit: 'bytes',
      description: 'No run is claimed unless more than this is free on the output disk.',
    }),
    alarmSeconds: number(positive, {
      default: 28 * HOUR,
      unit: 's',
      description: 'A disk that has been full for this time is reported in the DAQ’s log.',
    }),
  }),
  memory: z.strictObject({
    // ours: the reference does not watch it (8.2)
    maxUsePercent: number(positive, {
      default: 85,
      unit: '%',
      description:
        'An attempt is stopped and fails when it uses more than this share of the memory, divided by the slots. The memory is that of the machine, or of the manager’s control group.',
    }),
    minAvailablePercent: number(z.number().min(0).max(100), {
      default: 3,
      unit: '%',
      description:
        'The largest attempt is stopped when less than this share of the memory is available. No attempt is started with less than twice that.',
    }),
  }),
  limits: z.strictObject({
    // 3.2 unless said otherwise
    busyLeaseSeconds: number(positive, {
      default: 120,
      unit: 's',
      description:
        'A busy run of another host is stale when its heartbeat has stayed unchanged for this time.',
    }),
    consideringLeaseSeconds: number(positive, {
      default: 60,
      unit: 's',
      description:
        'A run that another host is considering is stale when its heartbeat has stayed unchanged for this time.',
    }),
    renewSeconds: number(positive, {
      default: 10,
      unit: 's',
      description: 'Interval at which a host writes the heartbeat of its runs.',
    }),
    maxProcessingSeconds: number(positive, {
      default: 72 * HOUR,
      unit: 's',
      description:
        'An attempt that takes longer is stopped and fails. The time is counted from the end of the run; before that only while there is no progress.',
    }),
    maxAfterEndSeconds: number(positive, {
      default: 13 * HOUR,
      unit: 's',
      description:
        'An attempt is stopped and fails when both the end of the run and the start of the child are longer ago.',
    }),
    maxNoWriteSeconds: number(positive, {
      default: 1800,
      unit: 's',
      description: 'An attempt that has written nothing for this time is stopped and fails.',
    }),
    stalledSeconds: number(positive, {
      default: 120, // ours
      unit: 's',
      description: 'A run in work without progress for this time is stalled: it has no forecast.',
    }),
    stalledAttentionSeconds: number(positive, {
      default: 300, // ours
      unit: 's',
      description:
        'A run that has made no progress for this time needs attention; earlier if it has failed before.',
    }),
    coverageSeconds: number(positive, {
      default: 5,
      unit: 's',
      description: 'The products may cover less or more than the run by less than this.',
    }),
    minRateAgeSeconds: number(notNegative, {
      default: 7.5,
      unit: 's',
      description: 'The data rate of a run is read when the run is at least this old.',
    }),
    maxRateSeconds: number(notNegative, {
      default: 60,
      unit: 's',
      description: 'The data rate of a run is taken as unknown after this time.',
    }),
    rateIntervalSeconds: number(positive, {
      default: 2, // 6.2
      unit: 's',
      description: 'Pause between two reads of the data rate.',
    }),
    registeredSeconds: number(notNegative, {
      default: 600, // 4.7
      unit: 's',
      description: 'Longest wait, after processing, for the folders of data entries of this host.',
    }),
    endOfRunSeconds: number(notNegative, {
      default: 600, // ours: the reference reads it once (8.1)
      unit: 's',
      description: 'Longest wait, after processing, for the end of the run in its document.',
    }),
    presumedDeadSeconds: number(positive, {
      default: 300,
      unit: 's',
      description: 'A host without a heartbeat for this time counts as silent.',
    }),
    abandonDoneSeconds: number(notNegative, {
      default: 24 * HOUR,
      unit: 's',
      description: 'A done run may be abandoned by its tag until this time after its start.',
    }),
    housekeepingSeconds: number(positive, {
      default: 60,
      unit: 's',
      earlier: 'limits.clean_up_seconds',
      description:
        'Pause between two rounds of housekeeping, which finds and corrects what crashes have left.',
    }),
    idlePollSeconds: number(positive, {
      name: 'poll-seconds',
      default: 10,
      unit: 's',
      description:
        'Pause between two polls for runs. It is six times as long while the change stream answers.',
    }),
    orphanLimitSeconds: number(positive, {
      default: 900, // ours
      unit: 's',
      description: 'A child that has seen no manager for this time ends itself.',
    }),
    termGraceSeconds: number(positive, {
      default: 3,
      unit: 's',
      description: 'Grace time after which a process that was asked to end is killed.',
    }),
    quietSeconds: number(notNegative, {
      default: 600, // ours
      unit: 's',
      description:
        'A folder of a run without a stamp is removed before an attempt only if nothing in it has changed for this time.',
    }),
  }),
});
