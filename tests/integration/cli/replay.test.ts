import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { bootstrax, lastJson } from './bundle.ts';

let folder: string;
let env: Record<string, string>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bootstrax-replay-'));
  env = { BOOTSTRAX_STATE_DIR: join(folder, 'state'), BOOTSTRAX_HOST: 'eb3.xenon.local' };
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

const run = (number: number, max: number) => ({
  number,
  mode: 'tpc_bkg',
  detectors: ['tpc'],
  start: { $date: '2026-01-01T00:00:00Z' },
  end: { $date: '2026-01-01T01:00:00Z' },
  rate: { tpc: { avg: 70, max } },
  bootstrax: { state: 'done', host: 'eb4.xenon.local', n_failures: 1 },
  daq_config: { processing_threads: { reader0: 2 } },
  data: [{ type: 'live', host: 'daq', location: '/live' }],
});

/** Exported documents, and a configuration that differs from the defaults only for high rates. */
async function files(): Promise<{ runs: string; config: string }> {
  const [runs, config] = [join(folder, 'runs.jsonl'), join(folder, 'tried.toml')];
  const documents = [run(1, 20), run(2, 100), { number: 3 }, run(4, 600)];
  await writeFile(runs, documents.map((each) => JSON.stringify(each)).join('\n'));
  await writeFile(
    config,
    '[resources.compressor]\nlarge_chunk_mb = 1\n[targets]\npost_processing = ["events_mv"]\n',
  );
  return { runs, config };
}

it('shows what a configuration decides otherwise than the defaults, run by run and in sum', async () => {
  const { runs, config } = await files();
  const args = ['--config', config, 'replay', runs];
  const { code, stdout } = await bootstrax([...args, '--json'], { env });
  expect(code).toBe(0);
  const change = { decision: 'postProcessing', from: ['veto_intervals'], to: ['raw_records'] };
  expect(lastJson(stdout)).toEqual({
    runs: 3,
    malformed: 1,
    changed: [1, 2, 4].map((number) => ({ run: number, changes: [change] })),
    summary: [
      {
        decision: 'postProcessing',
        count: 3,
        examples: [1, 2, 4].map((number) => ({
          ...{ run: number, from: ['veto_intervals'] },
          to: ['raw_records'],
        })),
      },
    ],
  });
  const words = (await bootstrax(args, { env })).stdout;
  expect(words).toMatch(/run 2\n {2}postProcessing +veto_intervals {2}-> {2}raw_records/);
  expect(words).toMatch(/3 of 3 runs come out otherwise .* 1 malformed document is left out/);
});

it('compares with another file, after as many failures as asked for', async () => {
  const { runs, config } = await files();
  const { stdout } = await bootstrax(
    ['replay', runs, '--against', config, '--failures', '0', '--json'],
    { env },
  );
  // Without failures the size of the chunks counts, and these runs have large ones.
  expect(lastJson(stdout)['summary']).toMatchObject([
    { decision: 'postProcessing', count: 3 },
    { decision: 'recordsCompressor', count: 1, examples: [{ run: 2, from: 'lz4', to: 'zstd' }] },
  ]);
  // A configuration is no different from itself.
  const same = await bootstrax(['--config', config, 'replay', runs, '--against', config], { env });
  expect(same.stdout).toMatch(/^0 of 3 runs/);
});

it('answers 2 to what is no file', async () => {
  for (const args of [[join(folder, 'none')], ['-', '--against', join(folder, 'none')]]) {
    const { code, stderr } = await bootstrax(['replay', ...args], { env });
    expect(stderr).toMatch(/no such file/);
    expect(code).toBe(2);
  }
});
