/** A job that failed for a reason of its node. */
export interface NodeFailure {
  attempt: string;
  run: number;
  node: string;
  /** `lost`: the node went; `not_begun`: the job ended there before it began the attempt. */
  kind: 'lost' | 'not_begun';
  atSeconds: number;
}

/** A node that gets no job for a while. */
export interface ExcludedNode {
  node: string;
  failures: number;
  untilSeconds: number;
}

/** This number of failures within this time keeps all jobs from a node, for the same time again. */
const MOST_FAILURES = 3;
const EXCLUDED_SECONDS = 3600;
/** A run is kept from a node on which it failed for this time. */
const REMEMBERED_SECONDS = 86_400;
const MOST_REMEMBERED = 500;
/** Jobs that do not begin on more nodes than this do so for a reason of the site, not of the nodes. */
const MOST_NODES = 2;

/** With one more failure; the same attempt counts once. */
export function withFailure(
  all: readonly NodeFailure[],
  failure: NodeFailure,
): readonly NodeFailure[] {
  if (all.some(({ attempt }) => attempt === failure.attempt)) return all;
  const since = failure.atSeconds - REMEMBERED_SECONDS;
  return [...all.filter(({ atSeconds }) => atSeconds > since), failure].slice(-MOST_REMEMBERED);
}

/** Nodes that get no job now. */
export function excludedNodes(all: readonly NodeFailure[], nowSeconds: number): ExcludedNode[] {
  const lately = all.filter(({ atSeconds }) => nowSeconds - atSeconds < 2 * EXCLUDED_SECONDS);
  const counted = [...lostOn(lately), ...notBegunOn(lately)];
  const byNode = new Map<string, number[]>();
  for (const { node, atSeconds } of counted) {
    byNode.set(node, [...(byNode.get(node) ?? []), atSeconds]);
  }
  return [...byNode].flatMap(([node, times]) => {
    const untilSeconds = excludedUntil(times);
    return untilSeconds > nowSeconds ? [{ node, failures: times.length, untilSeconds }] : [];
  });
}

function excludedUntil(times: readonly number[]): number {
  const sorted = [...times].sort((one, other) => one - other);
  let until = -Infinity;
  for (const [n, last] of sorted.entries()) {
    const first = sorted[n - MOST_FAILURES + 1];
    if (first !== undefined && last - first < EXCLUDED_SECONDS) until = last + EXCLUDED_SECONDS;
  }
  return until;
}

function lostOn(all: readonly NodeFailure[]): NodeFailure[] {
  return all.filter(({ kind }) => kind === 'lost');
}

function notBegunOn(all: readonly NodeFailure[]): NodeFailure[] {
  const notBegun = all.filter(({ kind }) => kind === 'not_begun');
  const nodes = new Set(notBegun.map(({ node }) => node));
  return nodes.size > MOST_NODES ? [] : notBegun;
}

/** Nodes that the next job of a run must not use. */
export function nodesToAvoid(
  all: readonly NodeFailure[],
  run: number,
  nowSeconds: number,
): string[] {
  const since = nowSeconds - REMEMBERED_SECONDS;
  const ofRun = all.filter((each) => each.run === run && each.atSeconds > since);
  const nodes = [...excludedNodes(all, nowSeconds), ...lostOn(ofRun), ...notBegunOn(ofRun)];
  return [...new Set(nodes.map(({ node }) => node))].sort();
}
