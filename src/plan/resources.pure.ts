import type { Clip, ResourceRow, ResourceRules } from '../infra/config/rules.pure.ts';
import { counted } from '../infra/values/counted.pure.ts';

/** What the resources of an attempt depend on. */
export interface ResourceFacts {
  mode: string;
  /** null or 0: not known, MB/s. */
  rateMBps: number | null;
  /** Counted failures before this attempt. */
  failures: number;
  /** How many of those were for want of memory. */
  memoryFailures: number;
  /** Length of a chunk of live data and of the overlap stored with it. */
  chunkSeconds: number;
  overlapSeconds: number;
}

export interface Resources {
  cores: number;
  maxMessages: number;
  timeoutSeconds: number;
  recordsCompressor: 'lz4' | 'zstd';
  reasons: string[];
}

interface Amounts {
  cores: number;
  maxMessages: number;
  timeoutSeconds: number;
}

/** Linear between the points, constant outside them; `points` sorted by x. Null without any. */
function interpolate(
  points: readonly (readonly [x: number, y: number])[],
  x: number,
): number | null {
  let previous = points[0];
  if (previous === undefined) return null;
  for (const point of points) {
    if (x < point[0]) {
      if (point === previous) return point[1];
      const slope = (point[1] - previous[1]) / (point[0] - previous[0]);
      return slope * (x - previous[0]) + previous[1];
    }
    previous = point;
  }
  return previous[1];
}

/**
 * The table's row at a rate (reference, section 6.1), before any failure, truncated. A table may say
 * nothing of the timeout: then it is that of `fallback`.
 */
function fromTable(rateMBps: number, rows: readonly ResourceRow[], fallback: Amounts): Amounts {
  const sorted = [...rows].sort((a, b) => a.rateMBps - b.rateMBps);
  const at = (value: (row: ResourceRow) => number | null, otherwise: number) => {
    const points = sorted.flatMap((row) => {
      const y = value(row);
      return y === null ? [] : [[row.rateMBps, y] as const];
    });
    return Math.trunc(interpolate(points, rateMBps) ?? otherwise);
  };
  return {
    cores: at((row) => row.cores, fallback.cores),
    maxMessages: at((row) => row.maxMessages, fallback.maxMessages),
    timeoutSeconds: at((row) => row.timeoutSeconds, fallback.timeoutSeconds),
  };
}

function clip(value: number, limits: Clip): number {
  return Math.trunc(Math.min(limits.max, Math.max(limits.min, value)));
}

/**
 * What is held in memory grows with the processes and with the messages between them. One core is
 * the least there is; fewer messages than strax needs to join its branches would stop it for good.
 */
function lessMemory(
  { cores, maxMessages }: Amounts,
  memoryFailures: number,
  rules: ResourceRules,
): Pick<Amounts, 'cores' | 'maxMessages'> {
  const factor = rules.memoryFailureFactor ** memoryFailures;
  const fewestMessages = Math.min(maxMessages, rules.clips.maxMessages.min);
  return {
    cores: Math.max(1, Math.trunc(cores / factor)),
    maxMessages: Math.max(fewestMessages, Math.trunc(maxMessages / factor)),
  };
}

/** The rate that the table is asked with, MB/s; null where it is not known (section 6.2). */
function effectiveRate(facts: ResourceFacts, rules: ResourceRules): number | null {
  const known = facts.rateMBps ?? 0;
  if (!(known > 0)) return null;
  if (!rules.byRate) return known;
  const forced = rules.forcedRates.find(({ substring }) => facts.mode.includes(substring));
  return forced?.rateMBps ?? known;
}

function compressor(
  rateMBps: number | null,
  facts: ResourceFacts,
  rules: ResourceRules,
): 'lz4' | 'zstd' {
  if (facts.failures > 0) return facts.failures > 1 ? 'lz4' : 'zstd';
  const rate = rateMBps ?? 0;
  if (rate < rules.compressor.lowRateMBps) return 'zstd';
  const chunkMB = rate * (facts.overlapSeconds + facts.chunkSeconds);
  return chunkMB > rules.compressor.largeChunkMB ? 'lz4' : 'zstd';
}

/**
 * Cores, mailbox messages, mailbox timeout (seconds) and compressor of the stored records, by data
 * rate and failures (reference, section 6). `table` names one of the configured tables.
 */
export function selectResources(
  facts: ResourceFacts,
  table: string,
  rules: ResourceRules,
): Resources {
  const reasons: string[] = [];
  const before = rules.fixed ? { ...facts, failures: 0, memoryFailures: 0 } : facts;
  const rate = effectiveRate(facts, rules);
  const fresh = beforeFailures({ ...facts, rate, table }, rules, reasons);
  const amounts = afterFailures(fresh, before, rules, reasons);
  return { ...amounts, recordsCompressor: compressor(rate, before, rules), reasons };
}

function beforeFailures(
  { rate, table, rateMBps, mode }: ResourceFacts & { rate: number | null; table: string },
  rules: ResourceRules,
  reasons: string[],
): Amounts {
  if (!rules.byRate) {
    reasons.push('Default resources: they do not follow the data rate.');
    return rules.fallback;
  }
  if (rate === null) {
    reasons.push('Default resources: the data rate is not known.');
    return rules.fallback;
  }
  const rows = rules.tables[table];
  if (rows === undefined || rows.length === 0) {
    reasons.push(`Default resources: there is no resource table '${table}'.`);
    return rules.fallback;
  }
  const forced = rate !== rateMBps;
  reasons.push(
    forced
      ? `Resources of the '${table}' table for ${rate} MB/s, which the mode '${mode}' is always given.`
      : `Resources of the '${table}' table for ${rate} MB/s.`,
  );
  return fromTable(rate, rows, rules.fallback);
}

function afterFailures(
  fresh: Amounts,
  facts: ResourceFacts,
  rules: ResourceRules,
  reasons: string[],
): Amounts {
  let amounts = { ...fresh };
  if (facts.failures > 0) {
    const factor = rules.failureFactor ** facts.failures;
    amounts = {
      cores: clip(amounts.cores / factor, rules.clips.cores),
      maxMessages: clip(amounts.maxMessages / factor, rules.clips.maxMessages),
      timeoutSeconds: clip(amounts.timeoutSeconds * factor, rules.clips.timeoutSeconds),
    };
    const times = facts.failures === 1 ? 'one failure' : counted(facts.failures, 'failure');
    reasons.push(`Fewer cores and messages and a longer timeout after ${times}.`);
  }
  if (facts.memoryFailures > 0) {
    amounts = { ...amounts, ...lessMemory(amounts, facts.memoryFailures, rules) };
    const often =
      facts.memoryFailures === 1 ? 'it ran' : `${counted(facts.memoryFailures, 'time')} it ran`;
    reasons.push(
      `Only ${counted(amounts.cores, 'core')} and ${counted(amounts.maxMessages, 'message')}, because ${often} out of memory.`,
    );
  }
  return amounts;
}
