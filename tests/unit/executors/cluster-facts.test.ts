import { describe, expect, it } from 'vitest';

import {
  type ClusterFacts,
  clusterFactsOf,
  clusterText,
} from '../../../src/executors/cluster-facts.pure.ts';
import { clusterTrouble } from '../../../src/readmodel/attention-cluster.pure.ts';

const FACTS: ClusterFacts = {
  ...{ name: '', whyNot: null, blockedSeconds: null, running: 3, waiting: 2, most: 20 },
  ...{ oldestWaitSeconds: 300, silentSeconds: 12 },
  nodes: [
    { node: 'n1', running: 3, failures: 0, excludedForSeconds: null },
    { node: 'n7', running: 0, failures: 3, excludedForSeconds: 2400 },
  ],
};

describe('how a cluster is', () => {
  it('is read as the manager of a host has written it', () => {
    expect(clusterFactsOf(JSON.parse(JSON.stringify(FACTS)))).toEqual(FACTS);
  });

  it.each([null, undefined, 'x', 7, {}, { name: 7 }, []])('is not made up from %j', (value) => {
    expect(clusterFactsOf(value)).toBeNull();
  });

  it('is bounded, whatever stands there', () => {
    const many = Array.from({ length: 1000 }, () => ({ node: 'n'.repeat(1000), running: 'x' }));
    const read = clusterFactsOf({ name: '', running: NaN, nodes: [7, ...many] });
    expect(read).toMatchObject({ running: 0, whyNot: null, oldestWaitSeconds: null });
    expect(read?.nodes.length).toBeLessThanOrEqual(50);
    expect(read?.nodes[0]?.node.length).toBe(500);
  });

  it('is told in one line', () => {
    expect(clusterText(FACTS)).toBe(
      'Slurm; 3 of at most 20 jobs run: n1 3; 2 wait (longest 5 min); n7 gets none for 40 min, after 3 failures',
    );
    const blocked = { ...FACTS, name: 'midway', whyNot: 'it is down', running: 1, nodes: [] };
    expect(clusterText({ ...blocked, waiting: 0, oldestWaitSeconds: null })).toBe(
      'Slurm (midway); 1 of at most 20 jobs runs; 0 wait; no job is begun: it is down',
    );
  });
});

describe('what needs attention of a cluster', () => {
  const kinds = (more: Partial<ClusterFacts>) =>
    clusterTrouble({ host: 'eb0', cluster: { ...FACTS, nodes: [], ...more } }).map(
      ({ kind }) => kind,
    );

  it.each<[string, Partial<ClusterFacts>, string[]]>([
    ['nothing', {}, []],
    ['a short stop', { whyNot: 'it is down', blockedSeconds: 60 }, []],
    ['a long one', { whyNot: 'it is down', blockedSeconds: 700 }, ['cluster_blocked']],
    ['a long wait', { oldestWaitSeconds: 30_000 }, ['job_waits']],
    ['a node', { nodes: FACTS.nodes }, ['node_excluded']],
    ['two nodes', { nodes: [...FACTS.nodes, ...FACTS.nodes] }, ['node_excluded']],
  ])('%s', (_, more, expected) => {
    expect(kinds(more)).toEqual(expected);
  });

  it('is nothing of a host without one', () => {
    expect(clusterTrouble({ host: 'eb0' })).toEqual([]);
  });
});
