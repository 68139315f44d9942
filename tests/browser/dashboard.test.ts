import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { DashboardProcess } from '../support/dashboard.ts';
import { Lab, until } from '../support/lab.ts';
import { smallMachine } from '../support/small-machine.ts';
import { barriers, isMarked, mark, startBrowser, troubles, whenShown } from './browser.ts';

/** Slow enough to be seen on its way. */
const SLOW = smallMachine({
  worker: { contextOptions: { sleep_seconds: { peak_basics: 1 } } },
});
/** Where pictures are to be kept, if anywhere. */
const SHOTS = process.env['BOOTSTRAX_SCREENSHOTS'];
const PATIENCE = { timeout: 60_000 };

let lab: Lab;
let dashboard: DashboardProcess;
let browser: Browser;
let page: Page;
let problems: string[];
let number: number;

const at = (path: string) => new URL(path, dashboard.url).href;
const panel = (name: string | RegExp) => page.getByRole('region', { name, exact: true });

beforeAll(async () => {
  lab = await Lab.start();
  const manager = await lab.manager({ config: SLOW });
  dashboard = await DashboardProcess.start(lab);
  browser = await startBrowser();
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  page = await context.newPage();
  problems = troubles(page);
  await manager.event('manager.ready');
});
afterAll(async () => {
  await browser?.close();
  await dashboard?.end();
  await lab?.end();
});

test('an empty database is nothing to worry about, and says so', async () => {
  await page.goto(at('/'));
  await panel('Needs attention').getByText('Nothing needs attention').waitFor(PATIENCE);
  await page.getByText('There is no run in this database yet.').waitFor(PATIENCE);
  await panel('Hosts').getByText('ready', { exact: true }).waitFor(PATIENCE);
  expect(await barriers(page)).toEqual([]);
});

test('a run is taken, appears, progresses, and is done, without a reload', async () => {
  await mark(page);
  const taking = lab.takeRuns(['--seconds', '15', '--speed', '1', '--rate', '20']);
  const working = panel('Runs being taken or processed').getByRole('listitem').first();
  await working.waitFor(PATIENCE);
  await working.getByText('busy', { exact: true }).waitFor(PATIENCE);
  await working.getByText(/\d+ s behind/).waitFor(PATIENCE);
  const shares: number[] = [];
  await until('the bar to grow twice', async () => {
    const label = await working
      .getByRole('img', { name: /Processed of run/ })
      .getAttribute('aria-label', { timeout: 1000 })
      .catch(() => null);
    const share = Number(/: (\d+) %/.exec(label ?? '')?.[1] ?? 0);
    if (share > (shares.at(-1) ?? 0)) shares.push(share);
    return shares.length >= 2;
  });
  [number = NaN] = await taking;
  await page.getByRole('link', { name: `Run ${number}: done`, exact: true }).waitFor(PATIENCE);
  await page.getByText('No run is being taken, and none is being processed.').waitFor(PATIENCE);
  expect(await isMarked(page)).toBe(true);
});

test('its page tells why, and shows attempts, curves, log, ladder and document', async () => {
  await page.getByRole('link', { name: `Run ${number}: done`, exact: true }).click();
  await page.getByRole('heading', { name: `Run ${number}`, exact: true }).waitFor(PATIENCE);
  await panel('Why').getByText('It is done.').waitFor(PATIENCE);
  await panel('1 attempt').getByRole('link').waitFor(PATIENCE);
  await panel('Progress and memory').locator('canvas').first().waitFor(PATIENCE);
  await panel('Log').getByText('complete').waitFor(PATIENCE);
  await panel('Ladder of targets')
    .getByRole('row', { name: / made / })
    .first()
    .waitFor(PATIENCE);
  await page.getByText('The document as it is stored').click();
  await page.getByRole('region', { name: 'Run document' }).waitFor(PATIENCE);
  if (SHOTS !== undefined) await page.screenshot({ path: `${SHOTS}/real-run.png`, fullPage: true });
  expect(await barriers(page)).toEqual([]);
});

test('whatever page is open: what is written to the database is seen on it within a second', async () => {
  const open = await Promise.all(
    [
      { path: '/', selector: '.strip a', says: (word: string) => `Run ${number}: ${word}` },
      { path: '/runs', selector: 'tbody .sign', says: (word: string) => word },
      { path: `/runs/${number}`, selector: '.run-head .sign', says: (word: string) => word },
    ].map(async (each) => {
      // In a window of its own: a browser lets pages that nobody sees wait.
      const tab = await browser.newPage();
      await tab.goto(at(each.path));
      await tab.locator(each.selector).first().waitFor(PATIENCE);
      return { ...each, tab };
    }),
  );
  const seconds = Object.fromEntries(open.map(({ path }) => [path, [] as number[]]));
  for (let i = 0; i < 8; i++) {
    const state = i % 2 === 0 ? 'abandoned' : 'done';
    const waits = open.map(({ tab, selector, says }) => whenShown(tab, selector, says(state)));
    await Promise.all(waits.map(({ watching }) => watching));
    const writtenAtMs = Date.now();
    await lab.runs.updateOne({ number }, { $set: { 'bootstrax.state': state } });
    for (const [which, { shownAtMs }] of waits.entries()) {
      seconds[open[which]!.path]!.push(((await shownAtMs) - writtenAtMs) / 1000);
    }
  }
  // The machine may be busy with other tests for a moment.
  for (const [path, each] of Object.entries(seconds)) {
    const median = each.toSorted((a, b) => a - b)[each.length / 2]!;
    expect(median, `${path}, of ${each.map((one) => one.toFixed(2)).join(', ')} s`).toBeLessThan(1);
  }
  for (const { tab } of open) await tab.close();
});

test('without its database every panel is grey and says how old; then it recovers by itself', async () => {
  const other = await page.context().newPage();
  await other.goto(at('/runs'));
  await page.goto(at('/'));
  const pages = [page, other];
  const stale = (each: Page, is: boolean) => each.locator(`.panel[data-stale="${is}"]`).count();
  const all = (is: boolean) => async () => {
    const counts = await Promise.all(
      pages.map(async (each) => [await stale(each, is), await each.locator('.panel').count()]),
    );
    return counts.every(([some, every]) => some === every && every! > 0);
  };
  await until('all panels to be read', all(false));
  for (const each of pages) await mark(each);
  await lab.signalServer('SIGKILL');
  await until('every panel to be grey', all(true), 30);
  await page.getByText('database not reached').waitFor(PATIENCE);
  if (SHOTS !== undefined) await page.screenshot({ path: `${SHOTS}/stale.png`, fullPage: true });
  const green = await page.evaluate(() => {
    const probe = document.createElement('span');
    probe.style.color = getComputedStyle(document.documentElement).getPropertyValue('--good');
    document.body.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return [...document.querySelectorAll('main *')].filter(
      (element) => getComputedStyle(element).color === color,
    ).length;
  });
  expect(green).toBe(0);
  await lab.startServer();
  await until('every panel to be fresh', all(false), 60);
  for (const each of pages) expect(await isMarked(each)).toBe(true);
  await other.close();
});

test('nothing was asked of others, and nothing went against the policy of the pages', () => {
  expect(problems).toEqual([]);
});
