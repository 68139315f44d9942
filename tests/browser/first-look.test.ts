import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { DashboardProcess } from '../support/dashboard.ts';
import { Lab } from '../support/lab.ts';
import { killProcessesOf } from '../support/processes.ts';
import { smallMachine } from '../support/small-machine.ts';
import { barriers, startBrowser, troubles } from './browser.ts';

/** What a shifter sees at first look, with the real program behind it. */

const HOST = 'alpha.test.local';
const IMPATIENT = smallMachine({
  retry: { baseSeconds: 300, maxFailures: 1 },
  limits: { stalledSeconds: 4, stalledAttentionSeconds: 6 },
});
const ENV = {
  BOOTSTRAX_LIMITS_PRESUMED_DEAD_SECONDS: '15',
  BOOTSTRAX_LIMITS_STALLED_SECONDS: '4',
  BOOTSTRAX_LIMITS_STALLED_ATTENTION_SECONDS: '6',
  BOOTSTRAX_RETRY_MAX_FAILURES: '1',
};
const RUN = ['--seconds', '12', '--chunk-seconds', '2', '--speed', '0', '--rate', '5'];
const PATIENCE = { timeout: 40_000 };

let lab: Lab;
let dashboard: DashboardProcess;
let browser: Browser;
let page: Page;
let problems: string[];

const at = (path: string) => new URL(path, dashboard.url).href;
const panel = (name: string | RegExp) => page.getByRole('region', { name, exact: true });

beforeAll(async () => {
  lab = await Lab.start();
  const manager = await lab.manager({ host: HOST, config: IMPATIENT });
  dashboard = await DashboardProcess.start(lab, ENV);
  browser = await startBrowser();
  page = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
  page.setDefaultTimeout(20_000);
  problems = troubles(page);
  await manager.event('worker.ready');
});
afterAll(async () => {
  await browser?.close();
  await dashboard?.end();
  await killProcessesOf(lab.stateDir(HOST));
  await lab?.end();
});

test('a run whose reader misses a file is stalled, with what it waits for and no time left', async () => {
  const [run = NaN] = await lab.takeRuns([...RUN, '--fault', 'missing-reader-file']);
  await lab.reached(run, ['busy']);
  await page.goto(at('/'));
  const row = panel('Runs being taken or processed')
    .getByRole('listitem')
    .filter({ hasText: String(run) });
  await row.getByText(/no progress for \d+ s: waits for chunk \d+ of reader/).waitFor(PATIENCE);
  await row.getByText('stalled', { exact: true }).waitFor(PATIENCE);
  expect(await row.innerText()).not.toMatch(/left/);
  await panel('Needs attention')
    .getByText(`Run ${run} is stalled: no progress for`)
    .waitFor(PATIENCE);
  await page.goto(at(`/runs/${run}`));
  await panel('Why')
    .getByText(/It is stalled: no progress for/)
    .waitFor(PATIENCE);
  expect(await barriers(page)).toEqual([]);
});

test('a database that is away is the first item; buttons rest and no time counts on until it is back', async () => {
  await page.goto(at('/'));
  const attention = panel('Needs attention');
  const buttons = page.locator('button.action');
  await buttons.first().waitFor(PATIENCE);
  await lab.signalServer('SIGKILL');
  const first = attention.getByRole('listitem').first();
  await first.getByText(/database has not answered for/).waitFor(PATIENCE);
  await first.getByText(/All below is as of \d\d:\d\d:\d\d UTC/).waitFor(PATIENCE);
  expect(await page.title()).toMatch(/^\(!\) /);
  expect(await buttons.count()).toBeGreaterThan(0);
  expect(await page.locator('button.action:enabled').count()).toBe(0);
  const row = panel('Runs being taken or processed').getByRole('listitem').first();
  const before = await row.innerText();
  // The item itself counts on: by then two more seconds have been drawn.
  const drawn = await first.innerText();
  await first.getByText(/for [1-9]\d* s\./).waitFor(PATIENCE);
  await page.waitForFunction(
    (text) => document.querySelector('.attention-list li')?.textContent !== text,
    drawn,
  );
  expect(await row.innerText()).toBe(before);
  expect(await barriers(page)).toEqual([]);
  await lab.startServer();
  await first
    .getByText(/database has not answered for/)
    .waitFor({ ...PATIENCE, state: 'detached' });
  await page.locator('button.action:enabled').first().waitFor(PATIENCE);
});

test('nothing was asked of others, and nothing went against the policy of the pages', () => {
  expect(problems).toEqual([]);
});
