import { join } from 'node:path';

import { attemptDirectory, readAttempt } from '../attempt/files/attempt-directory.ts';
import { type ProgressPoints, readProgressPoints } from '../attempt/files/progress-points.ts';
import { HISTORY_SECONDS } from '../host/host-history.store.ts';
import type { FailuresAnswer, HostHistoryAnswer, RunsAnswer } from '../readmodel/api.ts';
import { failureGroups } from '../readmodel/failures.pure.ts';
import { evenly } from '../readmodel/heartbeats.pure.ts';
import type { OverviewFilter } from '../readmodel/overview.port.ts';
import { rowOf, signOf, standingsOf } from '../readmodel/readings.ts';
import { silencesOf } from '../readmodel/silences.pure.ts';
import { placeOfAttempt } from './attempt-places.ts';
import type { Surroundings } from './surroundings.ts';

const RUNS_PER_PAGE = 50;
/** A screen is not wider than this number of points, and a heartbeat comes every 9 s. */
const MOST_POINTS = 600;
const SIGNS_PER_HOUR = 450;
const MOST_FAILURES = 5000;

/** One page of runs, highest number first. */
export async function runsAnswer(
  { store, settings, feeder }: Surroundings,
  query: OverviewFilter & { from?: number; to?: number; before?: number; limit?: number },
): Promise<RunsAnswer> {
  const { before, limit = RUNS_PER_PAGE, ...wanted } = query;
  const now = await store.serverTime();
  // Without a filter the newest numbers say it all; with one, the catalogue as far as it goes.
  const filtered = Object.keys(wanted).length > 0;
  const counted = filtered ? await feeder.catalogue.page(wanted, limit, before ?? null) : null;
  if (counted !== null) {
    const { rows: runs, ...rest } = counted;
    return { now: now.toISOString(), runs, ...rest };
  }
  const page = await store.overview.list({ ...query, limit });
  return {
    now: now.toISOString(),
    runs: page.runs.map((document) => rowOf(document, now, settings.rules)),
    before: page.before,
    total: filtered ? null : feeder.catalogue.size,
  };
}

/** Curves of a host from its heartbeats. */
export async function hostHistory(
  { store, settings }: Surroundings,
  host: string,
  hours: number,
): Promise<HostHistoryAnswer> {
  const now = await store.serverTime();
  const from = new Date(now.getTime() - hours * 3_600_000);
  const to = new Date(now.getTime() + 60_000);
  const signs = await store.overview.signsOf(host, from, to, hours * SIGNS_PER_HOUR + 100);
  const span = { fromMs: from.getTime(), toMs: to.getTime() };
  const all = signs.map(signOf);
  const kept = evenly(all, span, MOST_POINTS);
  const heard = all.map(({ atMs }) => Math.round(atMs / 1000)).sort((a, b) => a - b);
  return {
    now: now.toISOString(),
    at: kept.map(({ atMs }) => Math.round(atMs / 1000)),
    cpu: kept.map(({ cpuPercent }) => cpuPercent),
    memory: kept.map(({ memoryPercent }) => memoryPercent),
    swap: kept.map(({ swapPercent }) => swapPercent),
    disk: kept.map(({ diskPercent }) => diskPercent),
    liveDisk: kept.map(({ liveDiskPercent }) => liveDiskPercent),
    load: kept.map(({ load }) => load),
    silences: silencesOf(heard, now.getTime() / 1000, {
      keptEverySeconds: HISTORY_SECONDS,
      presumedDeadSeconds: settings.rules.limits.presumedDeadSeconds,
    }),
  };
}

/** Counted failures of the last days, by cause. */
export async function failuresAnswer(
  { store, feeder }: Surroundings,
  days: number,
): Promise<FailuresAnswer> {
  const now = await store.serverTime();
  const since = new Date(now.getTime() - days * 86_400_000);
  const [failures, standings] = await Promise.all([
    store.overview.failuresSince(since, MOST_FAILURES),
    store.actions.standing(),
  ]);
  const hosts = feeder.hosts.map(({ host }) => host);
  return {
    now: now.toISOString(),
    days,
    groups: failureGroups(failures, hosts, now, standingsOf(standings)),
  };
}

/** Curves of an attempt; null if its files are out of reach. */
export async function progressAnswer(
  surroundings: Surroundings,
  attempt: string,
): Promise<ProgressPoints | null> {
  const stateDir = await placeOfAttempt(surroundings, attempt);
  return stateDir === null
    ? null
    : readProgressPoints(attemptDirectory(stateDir, attempt), MOST_POINTS);
}

/** Where the log of an attempt lies, as seen from here; null if it is out of reach. */
export async function logFile(
  surroundings: Surroundings,
  attempt: string,
): Promise<{ file: string; hasEnded: () => Promise<boolean> } | null> {
  const stateDir = await placeOfAttempt(surroundings, attempt);
  if (stateDir === null) return null;
  return {
    file: join(attemptDirectory(stateDir, attempt), 'log.txt'),
    hasEnded: async () => {
      const files = await readAttempt(stateDir, attempt);
      return files === null || files.exit !== null || files.concluded;
    },
  };
}
