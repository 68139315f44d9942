import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { stopEmbedded } from '../../../src/infra/mongo/embedded/embedded-server.ts';
import { startCounting } from '../../support/counted-reads.ts';
import { CountingProxy } from '../../support/counting-proxy.ts';
import { Lab, until } from '../../support/lab.ts';
import { smallMachine } from '../../support/small-machine.ts';

const HOST = 'alpha.test.local';
const DONE_RUNS = 3000;
/** What may be read however many runs are done: host documents, requests, the newest runs. */
const MOST_READ = 300;

const CONFIG = smallMachine({ limits: { housekeepingSeconds: 0.5 } });

/** Done in the last days by this host and another, and handed on. */
function doneRuns(): Record<string, unknown>[] {
  const now = Date.now();
  return Array.from({ length: DONE_RUNS }, (_, i) => {
    const start = new Date(now - 60_000 * (DONE_RUNS - i));
    const end = new Date(start.getTime() + 1000);
    const host = i % 2 === 0 ? HOST : 'beta.test.local';
    return {
      ...{ number: 10 + i, mode: 'tpc_bkg', detectors: ['tpc'], start, end, tags: [], data: [] },
      ...{ status: 'eb_ready_to_upload', bootstrax: { state: 'done', host, time: end } },
    };
  });
}

describe('a manager beside many runs that are done', () => {
  let lab: Lab;
  let proxy: CountingProxy;
  let read: () => number;
  const greedy: string[] = [];

  beforeAll(async () => {
    lab = await Lab.start();
    await lab.insertRuns(...doneRuns());
    await stopEmbedded(join(lab.root, 'database'));
    read = await startCounting(lab);
    let before = read();
    proxy = await CountingProxy.start(Number(new URL(lab.url).port), {
      names: ['find', 'aggregate', 'update'],
      on: ({ command }) => {
        const now = read();
        if (now - before > MOST_READ) greedy.push(`${now - before}: ${JSON.stringify(command)}`);
        before = now;
      },
    });
  });
  afterAll(async () => {
    proxy.close();
    await lab.end();
  });

  test('neither its start nor what it asks again and again reads them', async () => {
    const before = read();
    const env = { BOOTSTRAX_MONGO_URL: proxy.url };
    const manager = await lab.manager({ host: HOST, config: CONFIG, env });
    await manager.event('manager.ready');
    // The rarest of what it asks again and again.
    await until(
      'its rare queries',
      () => (proxy.places.get('find runs {tags.name, bootstrax.state}') ?? 0) > 3,
    );
    expect(greedy).toEqual([]);
    expect(read() - before).toBeLessThan(MOST_READ);
  });
});
