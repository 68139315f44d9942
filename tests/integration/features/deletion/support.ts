import { existsSync, readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Document } from 'mongodb';
import { afterAll, afterEach, beforeAll, expect, vi } from 'vitest';

import { Lab, type ManagerProcess, until } from '../../../support/lab.ts';
import { smallMachine } from '../../../support/small-machine.ts';

export const HOST = 'alpha.test.local';
export const RUN = ['--seconds', '3', '--speed', '0', '--chunk-seconds', '1', '--rate', '5'];
export const BOTH = ['--detectors', 'tpc,neutron_veto'];
/** Looks at what is unfinished several times a second. */
export const LIVELY = smallMachine({ limits: { housekeepingSeconds: 0.2 } });
export const ON = { config: LIVELY, env: { BOOTSTRAX_DELETE_LIVE: 'true' } };

export let lab: Lab;
let manager: ManagerProcess | null = null;

/** A laboratory for the tests of a file; managers end with each test, or with the file. */
export function useLab({ ends = 'with each test' } = {}): void {
  // Each starts several managers, one after the other.
  vi.setConfig({ testTimeout: 300_000 });
  beforeAll(async () => {
    lab = await Lab.start();
  });
  if (ends === 'with each test') afterEach(endManager);
  afterAll(() => lab.end());
}

export async function endManager(): Promise<void> {
  await manager?.kill();
  manager = null;
}

/** A manager that deletes live data. */
export async function deleting(choices: object = ON): Promise<ManagerProcess> {
  manager = await lab.manager(choices);
  return manager;
}

export const runIdOf = (number: number) => String(number).padStart(6, '0');
export const liveFolder = (number: number) => join(lab.live, runIdOf(number));
export const deletions = () => lab.runsDatabase.collection('bootstrax_deletions');

/** A run that is done here, before anybody thinks of deleting its live data. */
export async function doneRun(args: string[] = []): Promise<number> {
  const [number] = await doneRuns(1, args);
  return number!;
}

/** The same for several: one manager processes them all. */
export async function doneRuns(count: number, args: string[] = []): Promise<number[]> {
  const several = ['--runs', String(count), '--gap-seconds', '0'];
  const numbers = await lab.takeRuns([...RUN, ...several, ...args]);
  const processing = await lab.manager();
  for (const number of numbers) {
    await lab.reached(number, ['done']);
    await processing.event('attempt.ended', { run: number });
    await until('the attempt to be wound up', async () => {
      const { bootstrax } = await lab.run(number);
      return existsSync(join(attemptOf(bootstrax.last_attempt!), 'concluded'));
    });
  }
  await processing.kill();
  return numbers;
}

export function attemptOf(id: string): string {
  return join(lab.stateDir(HOST), 'attempts', id);
}

/** A person wants it deleted, and a manager that deletes is there or started. */
export async function askFor(number: number, choices: object = ON): Promise<ManagerProcess> {
  const { code, stderr } = await lab.command(['deletions', 'retry', String(number)]);
  expect(code, stderr).toBe(0);
  return manager ?? deleting(choices);
}

export async function recordOf(number: number): Promise<Document> {
  const [record] = await deletions().find({ run: number }).sort({ begun: -1 }).toArray();
  if (record === undefined) throw new Error(`there is no deletion of run ${number}`);
  return record;
}

export function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
}

export async function messagesOf(number: number): Promise<Document[]> {
  return lab.client.db(lab.daqDb).collection('log').find({ runid: number }).toArray();
}

/** Refused for this cause; live data and entries are as they were, and it is not tried again. */
export async function expectRefused(number: number, cause: RegExp): Promise<void> {
  const files = existsSync(liveFolder(number)) ? filesIn(liveFolder(number)) : null;
  const { data, deleted_data: deletedBefore } = await lab.run(number);
  const running = await askFor(number);
  const line = await running.event('live.refused', { run: number });
  expect(String(line['cause'])).toMatch(cause);
  const record = await until('the record to say so', async () => {
    const found = await recordOf(number);
    return found['state'] === 'refused' ? found : null;
  });
  expect(record['cause']).toBe(line['cause']);
  expect(existsSync(liveFolder(number)) ? filesIn(liveFolder(number)) : null).toEqual(files);
  expect(existsSync(`${liveFolder(number)}-deleting`)).toBe(false);
  const after = await lab.run(number);
  expect(after.data).toEqual(data);
  expect(after['deleted_data']).toEqual(deletedBefore);
  // Several looks later it has still been said once, in a voice that is heard.
  await delay(600);
  const refusals = running.lines.filter(
    ({ event, run }) => event === 'live.refused' && run === number,
  );
  expect(refusals).toHaveLength(1);
  const said = (await messagesOf(number)).filter(({ message }) =>
    String(message).includes('is not deleted: '),
  );
  expect(said.map(({ priority }) => priority as number)).toEqual([2]);
}

export async function expectDeleted(number: number): Promise<Document> {
  const record = await until(`the live data of run ${number} to be deleted`, async () => {
    const found = await recordOf(number);
    if (found['state'] === 'refused') throw new Error(String(found['cause']));
    return found['state'] === 'done' ? found : null;
  });
  expect(existsSync(liveFolder(number))).toBe(false);
  expect(existsSync(`${liveFolder(number)}-deleting`)).toBe(false);
  const run = await lab.run(number);
  expect(run.data.filter(({ type }) => type === 'live')).toEqual([]);
  expect(run.data.length).toBeGreaterThan(3);
  expect(run['deleted_data']).toEqual([
    { type: 'live', host: 'daq', at: expect.any(Date) as Date, by: HOST },
  ]);
  return record;
}

/** The newest product of a type of this run. */
export function productOf(number: number, type: string): string {
  const name = readdirSync(lab.output).find((each) =>
    each.startsWith(`${runIdOf(number)}-${type}-`),
  );
  return join(lab.output, name!);
}

/** A chunk that has rows: others have no file. */
export function chunkOf(product: string): string {
  const chunk = readdirSync(product).find((name) => /-\d{6}$/.test(name));
  if (chunk === undefined) throw new Error(`no chunk in ${product} has rows`);
  return join(product, chunk);
}

export async function change(number: number, update: Document): Promise<void> {
  await lab.runs.updateOne({ number }, update);
}

export async function editResult(
  number: number,
  edit: (products: Document[]) => Document[],
): Promise<void> {
  const { bootstrax } = await lab.run(number);
  const file = join(attemptOf(bootstrax.last_attempt!), 'result.json');
  const result = JSON.parse(await readFile(file, 'utf8')) as { products: Document[] };
  await writeFile(file, JSON.stringify({ ...result, products: edit(result.products) }));
}
