import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { DashboardProcess } from '../support/dashboard.ts';
import { Lab, until } from '../support/lab.ts';
import { killProcessesOf } from '../support/processes.ts';
import { smallMachine } from '../support/small-machine.ts';
import { barriers, startBrowser, troubles } from './browser.ts';
import { act, giveReason, Newcomer } from './clicks.ts';
import { EVIL } from './documents.ts';

const HOSTS = ['alpha.test.local', 'beta.test.local'] as const;
const DESK = 'desk.test.local';
/** A chunk takes a second, a failed run waits for minutes, and the third failure is the last. */
const CALM = smallMachine({
  retry: { baseSeconds: 300, maxFailures: 3 },
  worker: { contextOptions: { sleep_seconds: { peak_basics: 1 } } },
});
const ENV = { BOOTSTRAX_LIMITS_PRESUMED_DEAD_SECONDS: '15', BOOTSTRAX_RETRY_MAX_FAILURES: '3' };
const SHORT = ['--seconds', '4', '--chunk-seconds', '2', '--speed', '0', '--rate', '5'];
const LONG = ['--seconds', '120', '--chunk-seconds', '2', '--speed', '0', '--rate', '1'];
const PATIENCE = { timeout: 30_000 };
/** With the embedded server a host of another state directory looks once a minute what it is asked. */
const A_LOOK = { timeout: 100_000 };
const MOST_CLICKS = 3;

let lab: Lab;
let dashboard: DashboardProcess;
let browser: Browser;
let page: Page;
let newcomer: Newcomer;
let problems: string[];
let good: number;
let bad: number;

const at = (path: string) => new URL(path, dashboard.url).href;
const panel = (name: string | RegExp) => page.getByRole('region', { name, exact: true });
const button = (name: string, where: Locator | Page = page) =>
  where.getByRole('button', { name, exact: true });
const condition = (word: string) => page.locator('.run-head').getByText(word, { exact: true });
const cell = (run: number) => page.getByRole('link', { name: new RegExp(`^Run ${run}: `) });
const card = (host: string) =>
  panel(/^(All )?[Hh]osts$/)
    .getByRole('listitem')
    .filter({ hasText: host });
const short = (host: string) => host.split('.')[0]!;
const audit = (reason: string) =>
  panel('Actions').getByRole('listitem').filter({ hasText: reason });

beforeAll(async () => {
  lab = await Lab.start();
  const managers = await Promise.all(HOSTS.map((host) => lab.manager({ host, config: CALM })));
  // On a machine of its own, which lives on when a host dies.
  const desk = { BOOTSTRAX_HOST: DESK, BOOTSTRAX_STATE_DIR: lab.stateDir(DESK) };
  dashboard = await DashboardProcess.start(lab, { ...ENV, ...desk });
  browser = await startBrowser();
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  page = await context.newPage();
  page.setDefaultTimeout(20_000);
  problems = troubles(page);
  newcomer = new Newcomer(page, at('/'));
  await Promise.all(managers.map((manager) => manager.event('worker.ready')));
  [good = NaN] = await lab.takeRuns(SHORT);
  [bad = NaN] = await lab.takeRuns([...SHORT, '--fault', 'corrupt-chunk']);
  await lab.reached(good, ['done']);
  await lab.reached(bad, ['failed']);
});
afterAll(async () => {
  await browser?.close();
  await dashboard?.end();
  for (const host of HOSTS) await killProcessesOf(lab.stateDir(host));
  await lab?.end();
});

test('why is a run not processed: told after one click, with what comes next', async () => {
  await newcomer.ask();
  await newcomer.click(cell(bad));
  const why = panel('Why');
  await why.getByText('It waits.').waitFor(PATIENCE);
  await why.getByText(/Next: .*, in \d+ min/).waitFor(PATIENCE);
  await expect
    .poll(() => why.locator('.reason').innerText(), PATIENCE)
    .toMatch(/corrupt|decompress|lz4/i);
  expect(newcomer.clicks).toBeLessThanOrEqual(MOST_CLICKS);
});

test('a run is held with a reason, whatever is in it, and released', async () => {
  await act(button('Hold'), EVIL);
  await condition('held').waitFor(PATIENCE);
  await audit(EVIL).getByText('done', { exact: true }).waitFor(PATIENCE);
  expect(await page.locator('img[src="x"]').count()).toBe(0);
  expect((await lab.run(bad))['tags']).toMatchObject([{ name: 'hold-processing' }]);
  await act(button('Release'), 'looked at it');
  await condition('failed, retries').waitFor(PATIENCE);
  expect((await lab.run(bad))['tags']).toEqual([]);
});

test('a host is drained: in three clicks and a reason', async () => {
  const host = (await lab.run(bad)).bootstrax.host!;
  await newcomer.ask();
  await newcomer.click(card(short(host)).getByRole('link').first());
  await newcomer.click(button('Drain', card(short(host))));
  await giveReason(page, 'its disk is changed');
  await newcomer.click(button('Drain', page.getByRole('dialog')));
  await card(short(host)).getByText('drained', { exact: true }).waitFor(A_LOOK);
  expect(newcomer.clicks).toBeLessThanOrEqual(MOST_CLICKS);
  const entry = audit('its disk is changed');
  await entry.getByText('done', { exact: true }).waitFor(PATIENCE);
  await entry.getByText(`seen by ${short(host)}`).waitFor(PATIENCE);
  expect(await barriers(page)).toEqual([]);
});

test('is it the host or the run: told after one click, once another host has tried it', async () => {
  await page.goto(at(`/runs/${bad}`));
  await act(button('Retry now'), 'on the other host');
  await panel('2 attempts').waitFor(PATIENCE);
  await condition('failed, retries').waitFor(PATIENCE);
  await newcomer.ask();
  await newcomer.click(cell(bad));
  await panel('Is it the host or the run?')
    .getByText('The run: it fails wherever it is tried.')
    .waitFor(PATIENCE);
  expect(newcomer.clicks).toBeLessThanOrEqual(MOST_CLICKS);
});

test('which run needs attention: told without a click, and somebody takes it on', async () => {
  await act(button('Retry now'), 'for the last time');
  await condition('given up').waitFor(PATIENCE);
  await newcomer.ask();
  const needs = panel('Needs attention');
  await needs.getByText(`Run ${bad} is given up after 3 failures`).waitFor(PATIENCE);
  expect(newcomer.clicks).toBe(0);
  await until('the title to say so', async () => (await page.title()).startsWith('(1) '));
  await act(button('Acknowledge', needs), 'anna: see https://elog.example/42');
  await needs.getByText('Acknowledged').waitFor(PATIENCE);
  await needs.getByText('Nothing else needs attention.').waitFor(PATIENCE);
  await needs.getByRole('link', { name: 'https://elog.example/42' }).waitFor(PATIENCE);
  expect(await barriers(page)).toEqual([]);
});

test('actions on many runs tell beforehand what they can and cannot do', async () => {
  await page.goto(at('/runs'));
  for (const run of [good, bad]) await page.getByLabel(`Choose run ${run}`).check();
  await button('Abandon').click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText(`run ${bad}: `).waitFor(PATIENCE);
  await dialog.getByText(`run ${good}: `).waitFor(PATIENCE);
  expect(await barriers(page)).toEqual([]);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  expect((await lab.run(bad)).bootstrax.state).toBe('failed');
});

test('a busy run that is abandoned stops within ten seconds, and its host says so', async () => {
  const taken = await lab.takeRuns(LONG);
  const run = taken[0]!;
  const { host = '', attempt = '' } = (await lab.reached(run, ['busy'])).bootstrax;
  const started = await until('its child', () =>
    readFile(join(lab.stateDir(host), 'attempts', attempt, 'started.json'), 'utf8').catch(
      () => null,
    ),
  );
  const { pid } = (JSON.parse(started) as { child: { pid: number } }).child;
  const isAlive = () =>
    readFile(`/proc/${pid}/stat`, 'utf8').then(
      (stat) => !/\) Z/.test(stat),
      () => false,
    );
  await page.goto(at(`/runs/${run}`));
  await condition('busy').waitFor(PATIENCE);
  expect(await isAlive()).toBe(true);
  const begun = performance.now();
  await act(button('Abandon'), 'wrong voltage');
  await until('the child to be gone', async () => !(await isAlive()), 30);
  expect((performance.now() - begun) / 1000).toBeLessThan(10);
  await condition('abandoned').waitFor(PATIENCE);
  const entry = audit('wrong voltage');
  await entry.getByText('done', { exact: true }).waitFor(PATIENCE);
  await entry.getByText(`seen by ${short(host)}`).waitFor(PATIENCE);
  expect((await lab.run(run)).bootstrax.state).toBe('abandoned');
});

test('what happened last night: text for the log book, after one click', async () => {
  await newcomer.ask();
  await newcomer.click(page.getByRole('link', { name: 'Handover' }).first());
  const text = page.getByLabel('Handover as text');
  await expect.poll(() => text.inputValue(), PATIENCE).toContain(String(bad));
  expect(newcomer.clicks).toBeLessThanOrEqual(MOST_CLICKS);
  expect(await barriers(page)).toEqual([]);
});

test('a host that dies is shown silent, with the run it had; a drained one takes runs again', async () => {
  await page.goto(at('/hosts'));
  await act(button('Undrain'), 'the disk is changed');
  await panel('All hosts')
    .getByText('drained', { exact: true })
    .waitFor({ state: 'detached', ...A_LOOK });
  const [run = NaN] = await lab.takeRuns(LONG);
  const { host = '' } = (await lab.reached(run, ['busy'])).bootstrax;
  await page.goto(at('/'));
  await card(short(host)).getByText('busy', { exact: true }).waitFor(PATIENCE);
  await killProcessesOf(lab.stateDir(host));
  await card(short(host)).getByText('silent', { exact: true }).waitFor(PATIENCE);
  await card(short(host)).getByText(`had run ${run}`).waitFor(PATIENCE);
  await panel('Needs attention')
    .getByText(`${host} sends no heartbeat; it had run ${run}.`)
    .waitFor(PATIENCE);
  expect(await barriers(page)).toEqual([]);
});

test('nothing was asked of others, and nothing went against the policy of the pages', () => {
  expect(problems).toEqual([]);
});
