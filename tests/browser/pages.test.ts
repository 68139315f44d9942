import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { DashboardProcess } from '../support/dashboard.ts';
import { Lab, PACKAGE, until } from '../support/lab.ts';
import { barriers, startBrowser, troubles } from './browser.ts';
import { EVIL, EVIL_ATTEMPT, insertFleet, NUMBERS } from './documents.ts';

const PATIENCE = { timeout: 30_000 };

let lab: Lab;
let dashboard: DashboardProcess;
let browser: Browser;
let page: Page;
let problems: string[];

const at = (path: string) => new URL(path, dashboard.url).href;
const panel = (name: string | RegExp) => page.getByRole('region', { name, exact: true });

beforeAll(async () => {
  lab = await Lab.start();
  await insertFleet(lab);
  const attempt = join(lab.stateDir('alpha.test.local'), 'attempts', EVIL_ATTEMPT);
  await mkdir(attempt, { recursive: true });
  await writeFile(join(attempt, 'log.txt'), `a line\n${EVIL}\n`);
  await writeFile(join(attempt, 'concluded'), '');
  dashboard = await DashboardProcess.start(lab);
  browser = await startBrowser();
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  page = await context.newPage();
  page.setDefaultTimeout(20_000);
  problems = troubles(page);
  page.on('dialog', (dialog) => problems.push(`dialog: ${dialog.message()}`));
});
afterAll(async () => {
  await browser?.close();
  await dashboard?.end();
  await lab?.end();
});

/** Every address with content of its own. */
const PAGES = [
  '/',
  '/runs',
  '/runs?condition=debt',
  `/runs/${NUMBERS.done}`,
  `/runs/${NUMBERS.busy}`,
  `/runs/${NUMBERS.given_up}`,
  `/runs/${NUMBERS.evil}`,
  '/runs/99999',
  '/hosts',
  '/failures',
  '/handover',
  '/actions',
  '/nowhere',
];

/** Those that look different on a phone. */
const NARROW = ['/', '/runs', `/runs/${NUMBERS.given_up}`];

async function open(path: string): Promise<void> {
  await page.goto(at(path));
  await page.locator('.panel-body, .lost').first().waitFor(PATIENCE);
  await page.waitForFunction(
    () => document.querySelectorAll('[aria-busy="true"]').length === 0,
    undefined,
    PATIENCE,
  );
  expect(await page.getByText('This page cannot be drawn').count(), path).toBe(0);
}

test('no barriers, and no overflow on a phone', async () => {
  await page.emulateMedia({ colorScheme: 'light' });
  for (const path of PAGES) {
    await open(path);
    expect(await barriers(page), path).toEqual([]);
    await page.setViewportSize({ width: 390, height: 900 });
    const beyond = () => document.documentElement.scrollWidth - window.innerWidth;
    // The plots take their new width a moment later.
    await expect.poll(() => page.evaluate(beyond), { message: path }).toBeLessThanOrEqual(0);
    if (NARROW.includes(path)) expect(await barriers(page), `${path}, narrow`).toEqual([]);
    await page.setViewportSize({ width: 1440, height: 900 });
  }
});

/** The innermost elements that reach beyond the window, but for those that scroll by themselves. */
function widest(): string {
  const beyond = [...document.querySelectorAll('body *')].filter(
    (each) =>
      each.closest('.scroll') === null && each.getBoundingClientRect().right > window.innerWidth,
  );
  const inner = beyond.filter(
    (each) => !beyond.some((other) => each !== other && each.contains(other)),
  );
  return inner.map(({ tagName, className }) => `${tagName}.${className}`).join(' ');
}

test('no page is wider than its window, from a phone to a wall', async () => {
  const tooWide: string[] = [];
  for (const path of PAGES) {
    await open(path);
    for (let width = 320; width <= 1920; width += 100) {
      await page.setViewportSize({ width, height: 900 });
      const beyond = () => document.documentElement.scrollWidth - window.innerWidth;
      try {
        // The plots take their new width a moment later.
        await page.waitForFunction(
          () => document.documentElement.scrollWidth <= window.innerWidth,
          undefined,
          { timeout: 3000 },
        );
      } catch {
        tooWide.push(
          `${path} at ${width}: by ${await page.evaluate(beyond)} px ${await page.evaluate(widest)}`,
        );
      }
    }
  }
  await page.setViewportSize({ width: 1440, height: 900 });
  expect(tooWide).toEqual([]);
});

test('as much contrast in the dark', async () => {
  await page.emulateMedia({ colorScheme: 'dark' });
  for (const path of PAGES) {
    await open(path);
    expect(await barriers(page, ['color-contrast']), path).toEqual([]);
  }
});

test('what comes from outside is shown as text, wherever it comes from', async () => {
  /** Shown with these very characters. */
  const shown = async (where: string, region: string | RegExp) => {
    await panel(region).getByText(EVIL).first().waitFor(PATIENCE);
    expect(await panel(region).getByText(EVIL).count(), where).toBeGreaterThan(0);
  };
  const unharmed = async (where: string) => {
    expect(await page.locator('img[src="x"]').count(), where).toBe(0);
    expect(await page.locator('main script').count(), where).toBe(0);
    expect(await page.title(), where).toContain('bootstrax');
  };
  await open('/');
  await shown('reason', 'Needs attention');
  await shown('the status of a host', 'Hosts');
  await unharmed('/');
  await open(`/runs?from=${NUMBERS.evil}`);
  const row = page.getByRole('row').filter({ hasText: String(NUMBERS.evil) });
  // Mode, detectors, reason, tag.
  await until('all of the row', async () => (await row.getByText(EVIL).count()) >= 4, 20);
  await unharmed('/runs');
  await open(`/runs/${NUMBERS.evil}`);
  for (const summary of await page.locator('main summary').all()) await summary.click();
  await shown('reason', 'Why');
  await shown('log line', 'Log');
  await shown('data type', 'Data and deletions');
  await shown('target', 'Ladder of targets');
  await shown('traceback', 'The chosen attempt');
  await page.getByRole('region', { name: 'Run document' }).getByText('onerror').waitFor(PATIENCE);
  expect(await page.locator('.facts').getByText(EVIL).count()).toBeGreaterThanOrEqual(2);
  await unharmed('/runs/N');
  await open('/failures');
  await page.getByRole('listitem').getByText(EVIL).first().waitFor(PATIENCE);
  await unharmed('/failures');
  await open('/hosts');
  await shown('the status of a host', 'Versions and status');
  await unharmed('/hosts');
});

test('filters are part of the address, and go on from it', async () => {
  await open('/runs');
  await page.getByLabel('State').selectOption('given up');
  await page.waitForURL(/condition=given_up/, PATIENCE);
  await until('only those runs', async () => (await page.getByRole('row').count()) === 3);
  await page.reload();
  await page.getByRole('rowheader', { name: String(NUMBERS.given_up) }).waitFor(PATIENCE);
  await page.getByRole('link', { name: 'Clear' }).click();
  await page.getByRole('rowheader', { name: String(NUMBERS.done), exact: true }).waitFor(PATIENCE);
  await page.getByRole('link', { name: 'Older' }).click();
  await page.getByRole('rowheader', { name: '1', exact: true }).waitFor(PATIENCE);
  await page.getByRole('link', { name: 'Newest' }).click();
  await page.getByRole('rowheader', { name: String(NUMBERS.done), exact: true }).waitFor(PATIENCE);
});

test('the keyboard goes everywhere', async () => {
  await page.setViewportSize({ width: 1440, height: 900 });
  for (const [key, path] of [
    ['h', '/hosts'],
    ['f', '/failures'],
    ['r', '/runs'],
    ['n', '/'],
  ] as const) {
    await page.keyboard.press('g');
    await page.keyboard.press(key);
    await page.waitForURL(at(path), PATIENCE);
  }
  await page.keyboard.press('/');
  await page.keyboard.type(String(NUMBERS.busy));
  await page.keyboard.press('Enter');
  await page.waitForURL(at(`/runs/${NUMBERS.busy}`), PATIENCE);
  await page.getByRole('heading', { name: `Run ${NUMBERS.busy}`, exact: true }).waitFor(PATIENCE);
});

test('every condition has its own word and its own shape', async () => {
  await open('/');
  const cells = panel(/^Last \d+ runs$/).getByRole('link');
  const looks = await cells.evaluateAll((links) =>
    links.map((link) => [
      /: (.*)$/.exec(link.getAttribute('aria-label') ?? '')?.[1],
      link.querySelector('svg')?.innerHTML,
    ]),
  );
  const words = new Set(looks.map(([word]) => word));
  expect(words.size).toBe(11);
  expect(new Set(looks.map(([, shape]) => shape)).size).toBe(words.size);
});

test('who is not known sees a door; a viewer sees everything but buttons, an operator buttons too', async () => {
  const password = 'correct horse battery';
  for (const [name, role] of [
    ['wall', 'viewer'],
    ['anna', 'operator'],
  ]) {
    const add = [join(PACKAGE, 'bin/bootstrax'), 'user', 'add', name!, role!];
    execFileSync(process.execPath, add, { env: lab.env(), input: `${password}\n` });
  }
  const guarded = await DashboardProcess.start(lab, { BOOTSTRAX_DASHBOARD_LOGIN: 'true' });
  const visitor = await browser.newPage();
  const theirs = troubles(visitor);
  try {
    const logIn = async (name: string, secret: string) => {
      await visitor.getByLabel('Name').fill(name);
      await visitor.getByLabel('Password').fill(secret);
      await visitor.getByRole('button', { name: 'Log in' }).click();
    };
    const buttons = visitor.getByRole('group', { name: `Actions on run ${NUMBERS.given_up}` });
    await visitor.goto(new URL(`/runs/${NUMBERS.given_up}`, guarded.url).href);
    await logIn('wall', 'a wrong password');
    await expect.poll(() => visitor.getByRole('alert').innerText(), PATIENCE).not.toBe('');
    expect(await barriers(visitor)).toEqual([]);
    expect(await visitor.getByText(String(NUMBERS.given_up)).count()).toBe(0);
    await logIn('wall', password);
    await visitor.getByText('It is given up').waitFor(PATIENCE);
    await visitor.getByText('viewer', { exact: true }).waitFor(PATIENCE);
    expect(await buttons.count()).toBe(0);
    await visitor.getByRole('button', { name: 'Log out' }).click();
    await logIn('anna', password);
    await buttons.getByRole('button', { name: 'Hold' }).waitFor(PATIENCE);
    expect(theirs).toEqual([]);
  } finally {
    await visitor.close();
    await guarded.end();
  }
});

test('nothing was asked of others, and nothing went against the policy of the pages', () => {
  expect(problems).toEqual([]);
});
