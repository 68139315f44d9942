import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

import { bootstrax } from './bundle.ts';

const RUN = {
  mode: 'tpc_bkg',
  detectors: ['tpc'],
  start: { $date: '2026-01-01T00:00:00Z' },
  end: { $date: '2026-01-01T01:00:00Z' },
  rate: { tpc: { avg: 70, max: 80 } },
  daq_config: { processing_threads: { reader0: 2 } },
  data: [{ type: 'live', host: 'daq', location: '/live' }],
};

test('plans more than a thousand documents a second', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bootstrax-cli-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const documents = Array.from({ length: 5000 }, (_, number) => ({ ...RUN, number }));
  const input = documents.map((each) => JSON.stringify(each)).join('\n');
  const env = { BOOTSTRAX_STATE_DIR: join(folder, 'state'), BOOTSTRAX_HOST: 'eb3.xenon.local' };
  const begin = performance.now();
  const { stdout } = await bootstrax(['plan', '--doc', '-', '--json'], { env, input });
  const seconds = (performance.now() - begin) / 1000;
  expect(stdout.trimEnd().split('\n')).toHaveLength(5000);
  expect(seconds).toBeLessThan(5);
});
