import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { type ManagerProcess, type StoredRun, until } from '../support/lab.ts';
import { HASTE, ours } from './haste.ts';
import { Observer } from './observer.ts';
import { type ReferenceManager, Site } from './site.ts';

// Where the reference leaves a run that it will not set right itself, ours does.

const EB4 = 'eb4.xenon.local';
const OURS = 'eb5.xenon.local';
const SHORT = [
  '--seconds',
  '2',
  '--chunk-seconds',
  '1',
  '--overlap-seconds',
  '0.2',
  '--speed',
  '0',
];
/** Taken in real time: processing cannot be over sooner. */
const LONG = [
  '--seconds',
  '16',
  '--chunk-seconds',
  '1',
  '--overlap-seconds',
  '0.2',
  '--speed',
  '1',
];

let site: Site;

beforeAll(async () => {
  site = await Site.start();
  await site.openNursery();
  await site.makeOutput(EB4, OURS);
});
afterEach(() => site.endManagers());
afterAll(() => site.end());

const run = (number: number) => site.lab.run(number);
const reached = (number: number, what: string, is: (run: StoredRun) => boolean) =>
  until(`run ${number} to be ${what}`, async () => {
    const document = await run(number);
    return is(document) ? document : null;
  }).catch(async (error: unknown) => {
    const { bootstrax, status } = await run(number);
    throw new Error(
      `${String(error)}; it is ${JSON.stringify({ bootstrax, status })}\n${await site.stories()}`,
    );
  });

test('a claim cut between its two writes stays for ever; ours takes it', async () => {
  const [number] = await site.lab.takeRuns(SHORT);
  const claimer = await site.reference(EB4, { dieAt: 'claimed', times: HASTE.reference });
  await claimer.end();
  expect((await run(number!)).bootstrax).toEqual({ state: 'considering' });

  const cleaner = await site.reference(EB4, {
    times: { ...HASTE.reference, max_considering_time: 0.5, cleanup_spacing: 0.2 },
  });
  await until('the reference to have cleaned up often', async () => {
    const log = await readFile(cleaner.log, 'utf8').catch(() => '');
    return log.split('Checking for bad stuff').length > 5;
  });
  expect((await run(number!)).bootstrax).toEqual({ state: 'considering' });
  await cleaner.kill();

  await ours(site, OURS);
  const done = await reached(number!, 'done', ({ bootstrax }) => bootstrax.state === 'done');
  expect(done).toMatchObject({ status: 'eb_finished_pre', bootstrax: { host: OURS } });
  expect(done.bootstrax.n_failures ?? 0).toBe(0);
});

test('a run that is done without a status is never handed on; ours hands it on', async () => {
  const [number] = await site.lab.takeRuns(SHORT);
  const finisher = await site.reference(EB4, { dieAt: 'done', times: HASTE.reference });
  await finisher.end();
  const left = await run(number!);
  expect(left.bootstrax).toMatchObject({ state: 'done', host: EB4 });
  expect(left.status).toBeUndefined();

  await ours(site, OURS);
  const mended = await reached(number!, 'handed on', ({ status }) => status !== undefined);
  expect(mended.status).toBe('eb_finished_pre');
  expect(mended.bootstrax).toEqual(left.bootstrax);
  expect(mended.data).toEqual(left.data);
});

test('a manager that comes back overwrites the new owner; ours gives way without a word', async () => {
  const { reference, manager, number } = await takenFromTheReference('SIGSTOP');
  await until(
    'ours to have stored something',
    async () => (await site.lab.begun(number)).length > 0,
  );
  const place = (await run(number)).bootstrax.plan!.place!;
  const observer = await Observer.watch(site.lab);
  reference.signal('SIGCONT');
  await reached(number, 'the reference’s again', ({ bootstrax }) => bootstrax.host === EB4);
  await manager.event('attempt.superseded', { run: number });
  await until('the child of ours and its folders to be gone', () => !existsSync(place));
  const published = await readdir(site.output(OURS));
  expect(published.filter((name) => name.startsWith(sixDigits(number)))).toEqual([]);
  const done = await reached(number, 'done', ({ status }) => status !== undefined);
  await observer.end();

  expect(done).toMatchObject({
    status: 'eb_finished_pre',
    bootstrax: { state: 'done', host: EB4 },
  });
  const writers = observer.writes.map(({ writer }) => writer).filter((writer) => writer !== null);
  const lost = writers.indexOf(EB4);
  expect(writers.slice(lost).filter((writer) => writer !== EB4)).toEqual([]);
  expect(done.data.filter(({ host }) => host === OURS)).toEqual([]);
});

test('the child of a killed manager lives on; ours processes the run all the same', async () => {
  const { number } = await takenFromTheReference('SIGKILL');
  const done = await reached(number, 'done', ({ bootstrax }) => bootstrax.state === 'done');
  expect(done).toMatchObject({ status: 'eb_finished_pre', bootstrax: { host: OURS } });
  expect(done.bootstrax.n_failures ?? 0).toBe(0);
  const own = done.data.filter(({ host }) => host === OURS);
  expect(own.length).toBeGreaterThan(5);
  expect(own.filter(({ location }) => !existsSync(String(location)))).toEqual([]);
});

/** A run that the reference was busy with when its manager fell silent, and ours has taken since. */
async function takenFromTheReference(
  signal: 'SIGSTOP' | 'SIGKILL',
): Promise<{ reference: ReferenceManager; manager: ManagerProcess; number: number }> {
  const newest = await site.lab.runs.countDocuments();
  void site.lab.takeRuns(LONG).catch(() => undefined);
  const reference = await site.reference(EB4, { times: HASTE.reference });
  const number = newest + 1;
  await until('the run to be there', () => site.lab.runs.findOne({ number }));
  await reached(number, 'busy', ({ bootstrax }) => bootstrax.state === 'busy');
  reference.signal(signal);
  const manager = await ours(site, OURS);
  await reached(
    number,
    'busy on ours',
    ({ bootstrax }) => bootstrax.state === 'busy' && bootstrax.host === OURS,
  );
  return { reference, manager, number };
}

const sixDigits = (number: number) => String(number).padStart(6, '0');
