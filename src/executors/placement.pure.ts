import type { ExecutorName } from './executor-name.pure.ts';
import type { JobRules } from './job-rules.pure.ts';

/** Slurm is down when it has not answered for this time: what waits for it may be processed here. */
const DOWN_SECONDS = 3600;
/** A run is taken by Slurm before it is backlog if no host has had a free place for this time. */
const NONE_FREE_SECONDS = 600;
/** No run is being taken if none has been heard of for this time. */
const QUIET_SECONDS = 3600;

/** What is known of a run that is to be placed. */
export interface RunToPlace {
  kind: 'run' | 'reprocess' | 'debt';
  /** Since its end, seconds; null while it is taken. */
  sinceEndSeconds: number | null;
  /** Where a person wants it. */
  wanted: ExecutorName | null;
  /** Memory that it is known to need, bytes; null: nothing is known. */
  needsBytes: number | null;
  /** Why only this host can process it; null: any node can. */
  onlyHere: string | null;
}

/** Where runs could begin now. */
export interface PlacesNow {
  /** Free places of this host, and the memory of each. */
  here: { free: number; bytes: number | null };
  /** Null: there is no cluster. `downSeconds`: since it last answered; null while it does. */
  cluster: { free: number; why: string | null; downSeconds: number | null } | null;
  /** Since the last sign of a run that is being taken. */
  quietSeconds: number;
  /** For how long no live host has had a free place. */
  noneFreeSeconds: number;
}

const NO_CLUSTER: NonNullable<PlacesNow['cluster']> = { free: 0, why: null, downSeconds: null };

/** Where a run is to be processed, and why; `nowhere`: it waits. */
export interface Placement {
  on: ExecutorName | 'nowhere';
  why: string;
}

/**
 * Where a run goes. While runs are taken the last free place here is kept for them as long as a
 * cluster takes the rest: a backlog slows none of them. Otherwise no place here stays free for the
 * sake of the cluster.
 */
export function placementOf(run: RunToPlace, places: PlacesNow, rules: JobRules): Placement {
  const { here, cluster } = places;
  const onlyHere = onlyHereBecause(run, cluster);
  if (onlyHere !== null) return inOrder([at(here.free > 0, 'local', onlyHere)], onlyHere);
  const { free, why: whyNot, downSeconds } = cluster ?? NO_CLUSTER;
  const slurm = free > 0;
  const waits = whyNot ?? 'no place is free';
  const isDown = (downSeconds ?? 0) >= DOWN_SECONDS;
  const isFree = here.free > 0;
  const down = at(isDown && isFree, 'local', 'Slurm has been down for an hour');
  if (needsMore(run, here.bytes, rules)) {
    const why = 'it needs more memory than a place here has';
    return inOrder([at(slurm, 'slurm', why), down], `${why}; ${waits}`);
  }
  if (run.wanted === 'slurm') {
    return inOrder([at(slurm, 'slurm', 'a person wants it there'), down], waits);
  }
  if (run.kind === 'run' && !isBacklog(run, rules)) return placementOfLive(places, rules);
  if (!rules.takes.includes(run.kind === 'run' ? 'backlog' : run.kind)) {
    return inOrder([at(isFree, 'local', 'Slurm does not take such runs')], waits);
  }
  const isSpare = here.free > reserved(places, rules);
  const spare = at(isSpare, 'local', 'a place here is free');
  const inSlurm = at(slurm, 'slurm', WHY_SLURM[run.kind]);
  return inOrder(run.kind === 'run' ? [spare, inSlurm] : [inSlurm, spare, down], waits);
}

const WHY_SLURM: Readonly<Record<RunToPlace['kind'], string>> = {
  run: 'it has waited long, and no place here is free',
  debt: 'it is a debt',
  reprocess: 'it is processed again',
};

/** It has run out of memory where a place here would have no more, and a job may have more. */
function needsMore(
  { needsBytes }: RunToPlace,
  hereBytes: number | null,
  { maxMemoryBytes }: JobRules,
): boolean {
  if (needsBytes === null || hereBytes === null) return false;
  return needsBytes > hereBytes && maxMemoryBytes > hereBytes;
}

/** Whether a run that waits in Slurm is to be taken here instead. */
export function isBetterHere(run: RunToPlace, places: PlacesNow, rules: JobRules): boolean {
  if (run.wanted === 'slurm') return false;
  if (needsMore(run, places.here.bytes, rules)) return false;
  return places.here.free > reserved(places, rules);
}

function placementOfLive({ here, cluster, noneFreeSeconds }: PlacesNow, { live }: JobRules) {
  const isLong = live && noneFreeSeconds >= NONE_FREE_SECONDS && (cluster?.free ?? 0) > 0;
  return inOrder(
    [
      at(here.free > 0, 'local', 'a place here is free'),
      at(isLong, 'slurm', 'no host has had a free place for 10 min'),
    ],
    'no place is free on this host',
  );
}

/** Null: it may run elsewhere too. */
function onlyHereBecause(run: RunToPlace, cluster: PlacesNow['cluster']): string | null {
  if (cluster === null) return 'there is no cluster';
  if (run.onlyHere !== null) return run.onlyHere;
  return run.wanted === 'local' ? 'a person wants it there' : null;
}

/** Places here that are kept for runs that are being taken. */
function reserved({ cluster, quietSeconds }: PlacesNow, { takes }: JobRules): number {
  const isTaken = quietSeconds < QUIET_SECONDS;
  const takesRest = cluster !== null && cluster.downSeconds === null && takes.includes('backlog');
  return isTaken && takesRest ? 1 : 0;
}

function isBacklog({ sinceEndSeconds }: RunToPlace, { backlogSeconds }: JobRules): boolean {
  return sinceEndSeconds !== null && sinceEndSeconds >= backlogSeconds;
}

function at(isOpen: boolean, on: ExecutorName, why: string): Placement | false {
  return isOpen && { on, why };
}

function inOrder(wanted: readonly (Placement | false)[], otherwise: string): Placement {
  return wanted.find((each) => each !== false) || { on: 'nowhere', why: otherwise };
}
