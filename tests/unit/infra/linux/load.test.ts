import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

import { cpuTicks, LoadMeter, memoryPercents } from '../../../../src/infra/linux/load.ts';

test('idle and waiting for disks are not busy, guests are counted once', () => {
  const text = 'cpu  10 1 9 70 10 0 0 0 5 5\ncpu0 1 1 1 1 1 1 1 1 1 1\n';
  expect(cpuTicks(text)).toEqual({ busy: 20, total: 100 });
});

test('memory in use is what cannot be had without swapping', () => {
  const text = `MemTotal:        1000 kB\nMemFree:          100 kB\nMemAvailable:     400 kB\nSwapTotal:        200 kB\nSwapFree:         150 kB\n`;
  expect(memoryPercents(text)).toEqual({ memoryPercent: 60, swapPercent: 25 });
});

test('a machine without swap uses none of it', () => {
  const text = 'MemTotal: 1000 kB\nMemAvailable: 1000 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n';
  expect(memoryPercents(text)).toEqual({ memoryPercent: 0, swapPercent: 0 });
});

test('a text that is something else is an error', () => {
  expect(() => memoryPercents('')).toThrow('/proc/meminfo');
  expect(() => cpuTicks('')).toThrow('/proc/stat');
});

test('this machine: between 0 and 100, and busy while this test makes it busy', () => {
  const meter = new LoadMeter();
  const ticks = () => cpuTicks(readFileSync('/proc/stat', 'utf8')).busy;
  const begin = ticks();
  while (ticks() < begin + 10);
  const load = meter.read();
  expect(load.cpuPercent).toBeGreaterThan(0);
  const { loadAverage, ...percents } = load;
  expect(loadAverage).toBeGreaterThanOrEqual(0);
  for (const value of Object.values(percents)) {
    expect(value).toBeGreaterThanOrEqual(0);
    expect(value).toBeLessThanOrEqual(100);
  }
});
