import { defaultRules, type Rules } from '../../src/infra/config/rules.pure.ts';

/**
 * The defaults, with the long waits shortened so that a simulated night fits into some minutes of
 * simulated time: a site may choose these numbers, and no decision depends on their size.
 */
export const simulationRules: Rules = {
  ...defaultRules,
  targets: {
    ...defaultRules.targets,
    default: ['peaks'],
    postProcessing: [],
    modes: [],
    ladder: [],
    shedding: 'reference',
  },
  retry: {
    ...defaultRules.retry,
    baseSeconds: 15,
    growth: 2,
    maxExponent: 2,
    uncounted: { ...defaultRules.retry.uncounted, firstSeconds: 5, maxSeconds: 40 },
  },
  quarantine: { ...defaultRules.quarantine, firstSeconds: 60, maxSeconds: 240 },
  limits: {
    ...defaultRules.limits,
    housekeepingSeconds: 30,
    maxNoWriteSeconds: 120,
    endOfRunSeconds: 120,
    maxRateSeconds: 15,
    orphanLimitSeconds: 240,
  },
};
