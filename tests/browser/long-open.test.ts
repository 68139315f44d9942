import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

import { DashboardProcess } from '../support/dashboard.ts';
import { Lab, until } from '../support/lab.ts';
import { isMarked, mark, startBrowser } from './browser.ts';

const PATIENCE = { timeout: 60_000 };

let lab: Lab;
let dashboard: DashboardProcess;
let browser: Browser;
let page: Page;
/** Streams that the page has asked for. */
let streams: number;

beforeAll(async () => {
  lab = await Lab.start();
  dashboard = await DashboardProcess.start(lab);
  browser = await startBrowser();
});
beforeEach(async () => {
  page = await browser.newPage();
  streams = 0;
  page.on('request', (request) => {
    if (request.url().endsWith('/api/stream')) streams++;
  });
  await page.goto(dashboard.url);
  await page.getByText('Nothing needs attention').waitFor(PATIENCE);
});
afterEach(() => page.close());
afterAll(async () => {
  await browser?.close();
  await dashboard?.end();
  await lab?.end();
});

/** Starts the dashboard's server once more, at the same address. */
async function restart(): Promise<void> {
  const { port } = new URL(dashboard.url);
  await dashboard.end();
  dashboard = await DashboardProcess.start(lab, {}, Number(port));
}

const openStreams = async () =>
  Number(
    /^bootstrax_dashboard_streams (\d+)$/m.exec(await (await dashboard.get('metrics')).text())?.[1],
  );

test('the same server, started again: the page goes on as it was', async () => {
  await mark(page);
  const before = streams;
  await restart();
  await until('the page to listen again', () => streams > before);
  await page.locator('.panel[data-stale="false"]').first().waitFor(PATIENCE);
  expect(await isMarked(page)).toBe(true);
});

test('a server of another release: the page is loaded again, but not under the hands of a writer', async () => {
  // As the new release would answer.
  await page.route(dashboard.url, async (route) => {
    const answer = await route.fetch();
    const body = (await answer.text()).replace(/assets\/[^"']+\.js/, 'assets/another.js');
    await route.fulfill({ response: answer, body });
  });
  let asked = 0;
  page.on('response', (answer) => {
    if (answer.url() === dashboard.url) asked++;
  });
  await mark(page);
  await page.evaluate(() => {
    const dialog = document.createElement('dialog');
    document.body.append(dialog);
    dialog.showModal();
  });
  await restart();
  await until('it to see the other release', () => asked > 0);
  expect(await isMarked(page)).toBe(true);
  await page.evaluate(() => document.querySelector('dialog')!.remove());
  await restart();
  await until('it to be loaded again', async () => !(await isMarked(page).catch(() => true)));
  await page.unrouteAll({ behavior: 'wait' });
});

test('a tab that nobody sees holds no stream; seen again it is up to date at once', async () => {
  const show = (hidden: boolean) =>
    page.evaluate((is) => {
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => is });
      document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);
  await until('its stream to be counted', async () => (await openStreams()) > 0);
  await show(true);
  await until('its stream to be closed', async () => (await openStreams()) === 0);
  const before = streams;
  await show(false);
  await until('a new stream', () => streams === before + 1);
  await page.locator('.panel[data-stale="false"]').first().waitFor(PATIENCE);
});
