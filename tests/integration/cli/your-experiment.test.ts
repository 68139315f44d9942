import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { PACKAGE, PYTHON } from '../../support/lab.ts';

const run = promisify(execFile);
const EXAMPLE = join(PACKAGE, 'examples/paddles');
const CONFIG = join(EXAMPLE, 'paddles.toml');
const WITHOUT_STRAXEN = join(PACKAGE, 'tests/support/no_straxen');
const HOST = `telescope-${process.pid}.test.local`;
const PATIENCE_MS = 180_000;

let root: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'bootstrax-experiment-'));
});

afterAll(() => rm(root, { recursive: true, force: true }));

interface Found {
  stored: string[];
  pulses: number;
  pulsesTwice: number;
  hits: number;
  paddles: number[];
  muons: number;
  fewestPaddles: number;
  muonsByMonitor: number;
  seconds: number;
}

/** The command with the example's file, everything in a folder of the test, no straxen anywhere. */
async function bootstrax(...args: string[]): Promise<string> {
  const { stdout } = await run(
    process.execPath,
    [
      ...[join(PACKAGE, 'bin/bootstrax'), '--config', CONFIG, '--host', HOST],
      ...['--live-data', join(root, 'live'), '--output', join(root, 'out')],
      ...['--state-dir', join(root, 'state'), '--python', PYTHON, ...args],
    ],
    { env: { ...process.env, PYTHONPATH: WITHOUT_STRAXEN }, timeout: 0.9 * PATIENCE_MS },
  ).catch((error: Error & { stdout?: string; stderr?: string }) => {
    const log = (name: string) => {
      try {
        return readFileSync(join(root, 'state', name), 'utf8').slice(-3000);
      } catch {
        return '(none)';
      }
    };
    const told = [error.stdout, error.stderr, log('manager.log'), log('worker.log')].join(
      '\n---\n',
    );
    throw new Error(`${error.message}\n${told}`, { cause: error });
  });
  return stdout;
}

interface Outcome {
  ok: boolean;
  runs: { run: number; mode: string; state: string; stored: { type: string }[] }[];
}

async function demo(...args: string[]): Promise<Outcome> {
  const stdout = await bootstrax('demo', '--exit', '--json', '--speed', '2', ...args);
  const lines = stdout.trim().split('\n');
  return JSON.parse(
    lines.slice(lines.findIndex((line) => line.startsWith('{'))).join('\n'),
  ) as Outcome;
}

describe('an experiment of one’s own, without straxen', () => {
  it('the test’s Python has no straxen', async () => {
    const env = { ...process.env, PYTHONPATH: WITHOUT_STRAXEN };
    await expect(run(PYTHON, ['-c', 'import straxen'], { env })).rejects.toThrow(
      /No module named .straxen/,
    );
    await run(PYTHON, ['-c', 'import strax'], { env });
  });

  it(
    'takes runs, and plain strax loads what was made',
    async () => {
      const { ok, runs } = await demo('--runs', '3', '--seconds', '12', '--limit-seconds', '120');
      expect(ok).toBe(true);
      expect(runs.map(({ mode, state }) => [mode, state])).toEqual(
        Array(3).fill(['cosmics', 'done']),
      );

      const { stdout } = await run(
        PYTHON,
        [
          join(PACKAGE, 'tests/support/load_paddles.py'),
          join(root, 'out'),
          ...runs.map(({ run: number }) => String(number).padStart(6, '0')),
        ],
        { env: { ...process.env, PYTHONPATH: `${WITHOUT_STRAXEN}:${EXAMPLE}` } },
      );
      const found = Object.values(JSON.parse(stdout) as Record<string, Found>);
      expect(found).toHaveLength(3);
      for (const each of found) {
        expect(each.stored).toEqual(['raw_pulses', 'hits', 'muons']);
        expect(each.paddles).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
        // Forty flashes a second; about half of them in three paddles or more.
        expect(each.muons).toBeGreaterThan(150);
        expect(each.muons).toBeLessThan(each.hits / 3);
        expect(each.fewestPaddles).toBe(3);
        expect(each.muonsByMonitor).toBe(each.muons);
        // What lies in the overlap of two chunks is counted once.
        expect(each.pulsesTwice).toBe(0);
        expect(Math.abs(each.seconds - 12)).toBeLessThan(5);
      }
    },
    PATIENCE_MS,
  );

  it(
    'obeys the targets of its own run modes',
    async () => {
      const { ok, runs } = await demo(
        '--runs',
        '1',
        '--seconds',
        '6',
        '--mode',
        'pulser_weekly',
        '--limit-seconds',
        '120',
      );
      expect(ok).toBe(true);
      const id = String(runs[0]?.run).padStart(6, '0');
      const folders = (await readdir(join(root, 'out'))).filter((name) => name.startsWith(id));
      expect(folders.map((name) => name.split('-')[1]).sort()).toEqual(['hits', 'raw_pulses']);
    },
    PATIENCE_MS,
  );

  it('plans from a run document, rung by rung, with neither database nor Python', async () => {
    const document = {
      number: 7,
      detectors: ['telescope'],
      mode: 'cosmics',
      start: { $date: '2026-01-01T00:00:00Z' },
      end: null,
      data: [{ type: 'live', host: 'daq', location: join(root, 'live') }],
      daq_config: { processing_threads: { telescope_reader_0: 2 } },
    };
    const child = run(process.execPath, [
      ...[join(PACKAGE, 'bin/bootstrax'), '--config', CONFIG, '--python', '/nowhere'],
      ...['--state-dir', join(root, 'empty'), 'plan', '--json', '--doc', '-'],
    ]);
    child.child.stdin?.end(
      [0, 1, 2, 3]
        .map((n_failures) =>
          JSON.stringify({ ...document, bootstrax: { state: 'failed', n_failures } }),
        )
        .join('\n'),
    );
    const plans = (await child).stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { targets: string[]; postProcessing: string[] });
    expect(plans.map(({ targets }) => targets)).toEqual([
      ['muons', 'rate_monitor'],
      ['muons'],
      ['raw_pulses'],
      ['raw_pulses'],
    ]);
    expect(plans.map(({ postProcessing }) => postProcessing)).toEqual(
      Array(4).fill(['raw_pulses']),
    );
  });

  it('a demo takes no configuration that names a database', async () => {
    await expect(bootstrax('--mongo-url', 'mongodb://db.example/', 'demo')).rejects.toThrow(
      /database of its own/,
    );
  });
});
