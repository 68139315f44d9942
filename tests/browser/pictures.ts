import { spawnSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';

import { DashboardProcess } from '../support/dashboard.ts';
import { Lab, PACKAGE, PYTHON } from '../support/lab.ts';
import { killProcessesOf } from '../support/processes.ts';
import { startBrowser } from './browser.ts';
import { DASHBOARD_ENV, livelyNight, type Night } from './lively-night.ts';

/** A picture of each page, light and dark, on a wide screen and on a phone: `make pictures`. */

const FOLDER = join(PACKAGE, 'docs/pictures');
const WIDTHS = { wide: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } } as const;
/** A page may be longer than anybody wants to see in a document, pixels. */
const MOST_HEIGHT = { wide: 1500, phone: 2000 } as const;
const PATIENCE = { timeout: 60_000 };

function pagesOf(night: Night): Record<string, string> {
  return {
    now: '/',
    runs: '/runs',
    run: `/runs/${night.busy}`,
    'run-failed': `/runs/${night.givenUp}`,
    hosts: `/hosts?host=${night.seen}&hours=1`,
    failures: '/failures?days=1',
    handover: '/handover',
    actions: '/actions',
  };
}

async function settled(page: Page): Promise<void> {
  await page.locator('.panel-body, .lost').first().waitFor(PATIENCE);
  await page.waitForFunction(
    () => document.querySelectorAll('[aria-busy="true"]').length === 0,
    undefined,
    PATIENCE,
  );
  await page.evaluate(() => document.fonts.ready);
  // Curves of an attempt and its log come after the panels.
  await page.waitForLoadState('load');
  await page.waitForTimeout(1500);
}

async function take(browser: Browser, url: string, night: Night): Promise<void> {
  await mkdir(FOLDER, { recursive: true });
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const [size, viewport] of Object.entries(WIDTHS)) {
      const context = await browser.newContext({ viewport, colorScheme });
      const page = await context.newPage();
      for (const [name, path] of Object.entries(pagesOf(night))) {
        await page.goto(new URL(path, url).href);
        await settled(page);
        const height = await page.evaluate(() => document.documentElement.scrollHeight);
        await page.screenshot({
          path: join(FOLDER, `${name}-${size}-${colorScheme}.png`),
          fullPage: true,
          clip: {
            ...{ x: 0, y: 0, width: viewport.width },
            height: Math.min(height, MOST_HEIGHT[size as keyof typeof WIDTHS]),
          },
        });
      }
      await context.close();
    }
  }
}

const lab = await Lab.start();
let browser: Browser | undefined;
let dashboard: DashboardProcess | undefined;
let night: Night | undefined;
try {
  browser = await startBrowser();
  dashboard = await DashboardProcess.start(lab, DASHBOARD_ENV(lab));
  const page = await browser.newPage({ viewport: WIDTHS.wide });
  night = await livelyNight(lab, page, dashboard.url);
  await page.close();
  await take(browser, dashboard.url, night);
  const shrink = join(PACKAGE, 'scripts/shrink-pictures.py');
  const { status } = spawnSync(PYTHON, [shrink, FOLDER], { stdio: 'inherit' });
  if (status !== 0) throw new Error('the pictures could not be made smaller');
  console.log(`The pictures are in ${FOLDER}.`);
} finally {
  await browser?.close();
  await dashboard?.end();
  for (const host of night?.hosts ?? []) await killProcessesOf(lab.stateDir(host));
  await lab.end();
}
