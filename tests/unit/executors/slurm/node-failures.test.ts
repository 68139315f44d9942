import { describe, expect, it } from 'vitest';

import {
  excludedNodes,
  type NodeFailure,
  nodesToAvoid,
  withFailure,
} from '../../../../src/executors/slurm/node-failures.pure.ts';

let number = 0;
function failed(node: string, atSeconds: number, more: Partial<NodeFailure> = {}): NodeFailure {
  number += 1;
  return { attempt: String(number), run: number, node, kind: 'lost', atSeconds, ...more };
}
const noted = (...all: NodeFailure[]) => all.reduce(withFailure, [] as readonly NodeFailure[]);
const names = (all: readonly NodeFailure[], at: number) =>
  excludedNodes(all, at).map(({ node }) => node);

describe('a node', () => {
  it('gets no job for an hour after three failures within one', () => {
    const two = noted(failed('n1', 0), failed('n1', 100));
    expect(names(two, 100)).toEqual([]);
    const three = withFailure(two, failed('n1', 200));
    expect(excludedNodes(three, 200)).toEqual([{ node: 'n1', failures: 3, untilSeconds: 3800 }]);
    expect(names(three, 3799)).toEqual(['n1']);
    expect(names(three, 3800)).toEqual([]);
  });

  it('is not excluded by failures that lie far apart, of others, or told twice', () => {
    expect(names(noted(failed('n1', 0), failed('n1', 2000), failed('n1', 4000)), 4000)).toEqual([]);
    expect(names(noted(failed('n1', 0), failed('n2', 1), failed('n3', 2)), 3)).toEqual([]);
    const one = failed('n1', 0);
    expect(noted(one, one, one)).toHaveLength(1);
  });

  it('is not at fault where jobs begin on none of many', () => {
    const at = (node: string) =>
      [0, 1, 2].map((second) => failed(node, second, { kind: 'not_begun' }));
    expect(names(noted(...at('n1'), ...at('n2')), 3)).toEqual(['n1', 'n2']);
    expect(names(noted(...at('n1'), ...at('n2'), ...at('n3')), 3)).toEqual([]);
  });

  it('on which a run failed is left out for that run for a day', () => {
    const all = noted(failed('n1', 0, { run: 7 }), failed('n2', 0, { run: 8 }));
    expect(nodesToAvoid(all, 7, 100)).toEqual(['n1']);
    expect(nodesToAvoid(all, 9, 100)).toEqual([]);
    expect(nodesToAvoid(all, 7, 86_401)).toEqual([]);
  });

  it('is remembered among a bounded number', () => {
    const many = Array.from({ length: 2000 }, (_, n) => failed(`n${n}`, n));
    expect(noted(...many).length).toBeLessThanOrEqual(500);
  });
});
