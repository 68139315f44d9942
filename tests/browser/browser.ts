import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** The distribution's own browser, without anything that asks the network. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env['BOOTSTRAX_TEST_CHROMIUM'] ?? '/usr/bin/chromium',
    args: [
      ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  });
}

/** What is wrong with the page for those who cannot see it, or not well; one line each. By default all rules. */
export async function barriers(page: Page, rules?: string[]): Promise<string[]> {
  // Not as a script of the page: its policy allows none but its own.
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(
    (runOnly) =>
      (window as unknown as { axe: { run: (options: object) => Promise<AxeResults> } }).axe.run(
        runOnly === undefined ? {} : { runOnly },
      ),
    rules,
  );
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target }) => `${id}: ${help} (${target.join(' ')})`),
  );
}

/** Errors of the page itself and offences against its policy, as they come. */
export function troubles(page: Page): string[] {
  const found: string[] = [];
  page.on('pageerror', (error) => found.push(error.message));
  page.on('console', (message) => {
    if (/Content Security Policy|Refused to/.test(message.text())) found.push(message.text());
  });
  page.on('request', (request) => {
    if (!/^(http:\/\/127\.0\.0\.1[:/]|data:)/.test(request.url())) found.push(request.url());
  });
  return found;
}

const MARK = 'the same page';
type Marked = Window & { mark?: string };

/** So that a reload would be noticed. */
export async function mark(page: Page): Promise<void> {
  await page.evaluate((text) => ((window as Marked).mark = text), MARK);
}

/** The page has not been loaded again since it was marked. */
export async function isMarked(page: Page): Promise<boolean> {
  return (await page.evaluate(() => (window as Marked).mark)) === MARK;
}

/**
 * When an element that fits `selector` first says `text` (in it or as its label), by this
 * machine's clock, ms since 1970: right after it is drawn. Ask before it can be there.
 */
export function whenShown(
  page: Page,
  selector: string,
  text: string,
): { watching: Promise<void>; shownAtMs: Promise<number> } {
  const key = `shown ${Math.random()}`;
  const watching = page.evaluate(
    ([name, where, words]) => {
      const isThere = () =>
        [...document.querySelectorAll(where!)].some(
          (element) =>
            element.textContent.trim() === words || element.getAttribute('aria-label') === words,
        );
      if (isThere()) throw new Error(`${words} is there already`);
      const shown = new Promise<number>((resolve) => {
        const observer = new MutationObserver(() => {
          if (!isThere()) return;
          observer.disconnect();
          requestAnimationFrame(() => resolve(performance.timeOrigin + performance.now()));
        });
        observer.observe(document.body, {
          ...{ subtree: true, childList: true, characterData: true, attributes: true },
        });
      });
      (window as unknown as Record<string, Promise<number>>)[name!] = shown;
    },
    [key, selector, text],
  );
  const shownAtMs = watching.then(() =>
    page.evaluate((name) => (window as unknown as Record<string, Promise<number>>)[name]!, key),
  );
  return { watching, shownAtMs };
}
