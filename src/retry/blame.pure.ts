import type { CauseClass } from './causes.pure.ts';

/** One failed attempt of the history, with what the blame depends on. */
export interface PastFailure {
  run: number;
  host: string;
  fingerprint: string | null;
  /** Null in documents of earlier releases. */
  class: CauseClass | null;
}

/** What failures that are alike have in common. */
export type Blame =
  /** The same run failed in the same way on several hosts. */
  | { kind: 'run'; runs: number[]; hosts: string[] }
  /** Different runs failed in the same way on one host, and on no other. */
  | { kind: 'host'; runs: number[]; hosts: [string] }
  /** Different runs on different hosts: they share the software and the site. */
  | { kind: 'everywhere'; runs: number[]; hosts: string[] }
  /** One run, on one host. */
  | { kind: 'open'; runs: number[]; hosts: string[] };

/** Classes that depend on the machine or the site, hardly on the run. */
const OF_SURROUNDINGS: ReadonlySet<CauseClass | null> = new Set<CauseClass>([
  'disk',
  'host',
  'vanished',
  'calibration_or_database',
  'configuration',
]);

/** Whether two failures are alike. For failures of the surroundings the class alone decides. */
export function isAlike(one: PastFailure, other: PastFailure): boolean {
  if (OF_SURROUNDINGS.has(one.class)) return one.class === other.class;
  return one.fingerprint !== null && one.fingerprint === other.fingerprint;
}

/** The blame of failures that are alike; `open` without any. */
export function blame(alike: readonly PastFailure[]): Blame {
  const hostsOf = new Map<number, Set<string>>();
  for (const { run, host } of alike) {
    hostsOf.set(run, (hostsOf.get(run) ?? new Set()).add(host));
  }
  const runs = [...hostsOf.keys()];
  const hosts = [...new Set(alike.map(({ host }) => host))];
  const onSeveral = runs.filter((run) => (hostsOf.get(run)?.size ?? 0) > 1);
  if (onSeveral.length > 0) {
    const theirs = new Set(onSeveral.flatMap((run) => [...(hostsOf.get(run) ?? [])]));
    return { kind: 'run', runs: onSeveral, hosts: [...theirs] };
  }
  const [first] = hosts;
  if (runs.length < 2 || first === undefined) return { kind: 'open', runs, hosts };
  return hosts.length === 1
    ? { kind: 'host', runs, hosts: [first] }
    : { kind: 'everywhere', runs, hosts };
}

/**
 * Whether failures on other hosts clear a host: the same run failed in the same way there, or the
 * program had an error at the same place. A full disk or a signal, which two hosts may have by chance,
 * clears neither.
 */
export function isCleared(failure: PastFailure, elsewhere: readonly PastFailure[]): boolean {
  const { fingerprint } = failure;
  if (fingerprint === null) return false;
  const namesAPlace = fingerprint.includes(' at ') && !OF_SURROUNDINGS.has(failure.class);
  return elsewhere.some(
    (other) =>
      other.host !== failure.host &&
      other.fingerprint === fingerprint &&
      (namesAPlace || other.run === failure.run),
  );
}

/** For people, one clause. */
export function blameText({ kind, runs, hosts }: Blame): string {
  const [run, host] = [list(runs, 'run'), hosts.join(' and ')];
  switch (kind) {
    case 'run':
      return `the ${run}: it is the same on ${host}`;
    case 'host':
      return `${host}: different runs failed alike there, and nowhere else`;
    case 'everywhere':
      return `the software or the site: different runs failed alike on ${host}`;
    case 'open':
      return 'neither run nor host yet: it was one run on one host';
  }
}

function list(runs: readonly number[], word: string): string {
  return runs.length === 1 ? `${word} ${runs[0] ?? '?'}` : `${word}s ${runs.join(', ')}`;
}
