import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { DashboardProcess } from '../support/dashboard.ts';
import { Lab } from '../support/lab.ts';
import { type Changes, smallMachine } from '../support/small-machine.ts';
import { barriers, startBrowser, troubles } from './browser.ts';
import { act } from './clicks.ts';

const TAKE = ['--seconds', '3', '--chunk-seconds', '1', '--speed', '0', '--rate', '5'];
const BASE: Changes = {
  targets: { default: ['peak_basics', 'event_basics'], postProcessing: ['raw_records'] },
  limits: { housekeepingSeconds: 1 },
};
const CONFIG = smallMachine(BASE);
const FAILING = smallMachine(BASE, { worker: { contextOptions: { fail_in: 'event_basics' } } });
const PATIENCE = { timeout: 60_000 };

let lab: Lab;
let dashboard: DashboardProcess;
let browser: Browser;
let page: Page;
let problems: string[];
let run: number;

const panel = (name: string | RegExp) => page.getByRole('region', { name, exact: true });

beforeAll(async () => {
  lab = await Lab.start();
  const failing = await lab.manager({ config: FAILING });
  [run = NaN] = await lab.takeRuns(TAKE);
  await lab.reached(run, ['done']);
  await failing.event('attempt.ended', { run, outcome: 'done' });
  await failing.kill('SIGTERM');
  dashboard = await DashboardProcess.start(lab);
  browser = await startBrowser();
  page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  problems = troubles(page);
});
afterAll(async () => {
  await browser?.close();
  await dashboard?.end();
  await lab?.end();
});

test('a run that lacks targets is found among the debts, and offered again with all of them', async () => {
  const before = await lab.run(run);
  expect(before.data.map(({ type }) => type)).not.toContain('event_basics');
  await page.goto(dashboard.url);
  await page.getByRole('navigation').first().getByRole('link', { name: 'Runs' }).click();
  await page.getByLabel('State').selectOption('debt');
  await page.getByLabel(`Choose run ${run}`).check(PATIENCE);
  expect(await barriers(page)).toEqual([]);
  await act(page.getByRole('button', { name: 'Reprocess with all targets' }), 'mended in 0.3');

  const healthy = await lab.manager({ config: CONFIG });
  await page.getByText('No run fits').waitFor(PATIENCE);
  await page.goto(new URL(`/runs/${run}`, dashboard.url).href);
  await page.locator('.run-head').getByText('done', { exact: true }).waitFor(PATIENCE);
  await panel('Ladder of targets')
    .getByRole('row', { name: /event_basics.* made/ })
    .waitFor(PATIENCE);
  await panel('Actions')
    .getByRole('listitem')
    .filter({ hasText: 'mended in 0.3' })
    .getByText('done', { exact: true })
    .waitFor(PATIENCE);
  const after = await lab.run(run);
  expect(after.data.map(({ type }) => type)).toContain('event_basics');
  expect(after.bootstrax.state).toBe('done');
  expect(problems).toEqual([]);
  await healthy.kill('SIGTERM');
});
