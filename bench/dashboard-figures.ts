import type { Browser, Page } from 'playwright-core';

import type { Condition } from '../src/readmodel/run-condition.pure.ts';
import { LOOKS } from '../src/readmodel/run-condition.pure.ts';
import { whenShown } from '../tests/browser/browser.ts';
import type { DashboardProcess } from '../tests/support/dashboard.ts';
import type { Lab } from '../tests/support/lab.ts';

/** How soon a page was there, ms since its address was opened. */
export interface PageLoad {
  /** First contentful paint. */
  paintMs: number;
  /** Everything on it was read and shown. */
  thereMs: number;
}

/** As long as a panel has nothing to show it is marked busy. */
const ALL_PANELS = { '/': 5, '/runs': 1 } as const;

/** Opens a page as a person would who has not been there before. */
export async function openPage(
  browser: Browser,
  dashboard: DashboardProcess,
  path: keyof typeof ALL_PANELS,
): Promise<PageLoad> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  try {
    const page = await context.newPage();
    await page.goto(new URL(path, dashboard.url).href, { waitUntil: 'commit' });
    const handle = await page.waitForFunction(
      (least) => {
        const panels = [...document.querySelectorAll('section.panel')];
        const isThere =
          panels.length >= least &&
          panels.every((panel) => panel.getAttribute('aria-busy') === 'false');
        const [paint] = performance.getEntriesByName('first-contentful-paint');
        if (!isThere || paint === undefined) return null;
        return { paintMs: paint.startTime, thereMs: performance.now() };
      },
      ALL_PANELS[path],
      { polling: 'raf', timeout: 120_000 },
    );
    return (await handle.jsonValue())!;
  } finally {
    await context.close();
  }
}

/** From choosing a state on the page of runs to its table, in ms. */
export async function chooseState(page: Page, condition: Condition): Promise<number> {
  return page.evaluate(
    async ([value, word]) => {
      const select = document.querySelector<HTMLSelectElement>('select[name=condition]')!;
      const begun = performance.now();
      select.value = value!;
      select.dispatchEvent(new Event('change', { bubbles: true }));
      for (;;) {
        await new Promise(requestAnimationFrame);
        const rows = [...document.querySelectorAll('tbody tr')];
        const isShown = rows.length > 0 && rows.every((row) => row.textContent.includes(word!));
        if (isShown && location.search.includes(value!)) return performance.now() - begun;
        if (performance.now() - begun > 60_000) throw new Error(`${value} is never shown`);
      }
    },
    [condition, LOOKS[condition].word],
  );
}

/** From a run's change of state, as it is written, to the strip on the page Now, in ms. */
export async function changeSeen(page: Page, lab: Lab, number: number): Promise<number> {
  const isAbandoned = (await lab.run(number)).bootstrax.state === 'abandoned';
  const state = isAbandoned ? 'considering' : 'abandoned';
  const shown = whenShown(page, 'a', `Run ${number}: ${LOOKS[state].word}`);
  await shown.watching;
  const writtenAtMs = Date.now();
  await lab.runs.updateOne({ number }, { $set: { 'bootstrax.state': state } });
  return (await shown.shownAtMs) - writtenAtMs;
}

/** From a new run, as it is written, to its row on the page of runs, in ms. */
export async function newRunSeen(page: Page, lab: Lab, number: number): Promise<number> {
  const like = await lab.run(number - 1);
  const shown = whenShown(page, 'tbody a', String(number));
  await shown.watching;
  const writtenAtMs = Date.now();
  await lab.insertRuns({ ...like, _id: undefined, number, start: new Date(), bootstrax: null });
  return (await shown.shownAtMs) - writtenAtMs;
}

/** A browser that is left open: it reads all that is sent and keeps nothing. */
export class OpenStream {
  bytes = 0;
  readonly #abort = new AbortController();

  constructor(url: string) {
    void this.#read(new URL('/api/stream', url)).catch(() => undefined);
  }

  stop(): void {
    this.#abort.abort();
  }

  async #read(url: URL): Promise<void> {
    const { body } = await fetch(url, { signal: this.#abort.signal });
    for await (const piece of body as unknown as AsyncIterable<Uint8Array>) {
      this.bytes += piece.length;
    }
  }
}

/** Changes runs of all ages in many ways, some at a time. */
export async function manyUpdates(lab: Lab, runs: number, updates: number): Promise<void> {
  const WRITERS = 4;
  let made = 0;
  const write = async () => {
    while (made < updates) {
      const i = made++;
      const number = i % 2 === 0 ? runs - ((i * 31) % 300) : 1 + ((i * 7919) % runs);
      await lab.runs.updateOne({ number }, changeOf(i));
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, write));
}

function changeOf(i: number): { $set: Record<string, unknown> } {
  const time = new Date();
  switch (i % 4) {
    case 0:
      return { $set: { 'bootstrax.time': time, 'bootstrax.progress.t': i } };
    case 1:
      return { $set: { tags: [{ name: `tag${i % 50}`, user: 'shifter', date: time }] } };
    case 2:
      return { $set: { 'bootstrax.state': 'done', 'bootstrax.time': time } };
    default:
      return { $set: { 'bootstrax.state': 'abandoned', 'bootstrax.reason': `update ${i}` } };
  }
}
