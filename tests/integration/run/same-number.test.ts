import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Document, Double, Int32, Long, ObjectId } from 'mongodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Lab, type StoredRun, until } from '../../support/lab.ts';
import { smallMachine } from '../../support/small-machine.ts';

const TAKE = ['--seconds', '3', '--chunk-seconds', '1', '--speed', '0', '--rate', '10'];
const HOSTS = ['alpha.test.local', 'beta.test.local'];
/** What is set aside is looked at again every second. */
const configured = (liveData: boolean) =>
  smallMachine({ limits: { housekeepingSeconds: 1 }, deletion: { liveData } });
const KEEPING = configured(false);
const DELETING = configured(true);

/** Other programs write numbers in other types. */
const WRITTEN = [
  (number: number) => new Int32(number),
  (number: number) => new Double(number),
  (number: number) => Long.fromNumber(number),
];

const runIdOf = (number: number) => String(number).padStart(6, '0');

/** Live data of a run and its document, to be inserted as often as wanted. */
async function template(lab: Lab): Promise<Document> {
  const [number] = await lab.takeRuns(TAKE);
  const { _id, bootstrax, status, ...fields } = await lab.run(number!);
  await lab.runs.deleteOne({ _id });
  return { ...fields, data: fields.data.filter(({ type }) => type === 'live') };
}

async function reached(lab: Lab, id: ObjectId, outcome: string): Promise<StoredRun> {
  return until(`document ${id.toHexString()} to be ${outcome}`, async () => {
    const found = await lab.runs.findOne({ _id: id });
    return found?.bootstrax?.outcome === outcome ? found : null;
  });
}

/** Name, time and number of each file in the run's folders: nothing was written or replaced. */
async function foldersOf(lab: Lab, number: number): Promise<string[]> {
  const folders = (await readdir(lab.output)).filter((name) => name.startsWith(runIdOf(number)));
  const files = await Promise.all(
    folders.map(async (folder) =>
      (await readdir(join(lab.output, folder))).map((name) => join(lab.output, folder, name)),
    ),
  );
  const seen = files.flat().map(async (path) => {
    const { ino, mtimeMs } = await stat(path);
    return `${path} ${ino} ${mtimeMs}`;
  });
  return (await Promise.all(seen)).sort();
}

async function messagesOf(lab: Lab, number: number, priority: number): Promise<string[]> {
  const log = lab.client.db(lab.daqDb).collection<Document>('log');
  const found = await log.find({ runid: number, priority }).toArray();
  return found.map(({ message }) => String(message));
}

describe('a second document with the number of a run', () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.start();
  });
  afterAll(() => lab.end());

  test('that is done is not begun: what the first has made stays, and both are named', async () => {
    const fields = await template(lab);
    const number = fields['number'] as number;
    const manager = await lab.manager({
      config: KEEPING,
    });
    const [first] = await lab.insertRuns({ ...fields, bootstrax: { state: null } });
    const done = await reached(lab, first!, 'done');
    await manager.event('attempt.ended', { run: number, outcome: 'done' });
    const made = await foldersOf(lab, number);
    expect(made.length).toBeGreaterThan(0);

    const [second] = await lab.insertRuns({ ...fields, bootstrax: { state: null } });
    const twin = await reached(lab, second!, 'set_aside');
    expect(twin.bootstrax.state).toBe('failed');
    expect(twin.bootstrax.next_retry).toBeUndefined();
    expect(twin.bootstrax['same_number' as never]).toEqual([first!.toHexString()]);
    const ids = [first!, second!].map((id) => id.toHexString());
    for (const id of ids) expect(twin.bootstrax.reason).toContain(id);
    await until('the log to name both', async () =>
      (await messagesOf(lab, number, 3)).some((text) => ids.every((id) => text.includes(id))),
    );
    await manager.event('attempt.ended', { run: number, outcome: 'set_aside' });
    expect(await lab.runs.findOne({ _id: first! })).toEqual(done);
    expect(await foldersOf(lab, number)).toEqual(made);

    // What would act on one of them, or take both for one, is refused and names both.
    for (const verb of ['fail', 'retry', 'hold', 'release', 'abandon', 'reprocess', 'process']) {
      const { code, stdout, stderr } = await lab.command([verb, String(number)]);
      expect(code, verb).toBe(1);
      for (const id of ids) expect(`${stdout}${stderr}`, verb).toContain(id);
    }
    for (const verb of ['retry', 'abandon', 'reprocess', 'process']) {
      const { code, stdout, stderr } = await lab.command([verb, second!.toHexString()]);
      expect(code, verb).toBe(1);
      expect(`${stdout}${stderr}`, verb).toContain(first!.toHexString());
    }
    expect(await lab.runs.findOne({ _id: first! })).toEqual(done);
    const explained = await lab.command(['explain', String(number)]);
    for (const id of ids) expect(explained.stdout).toContain(id);

    // Settled by removing the wrong document with what was made of it: nobody touches the other one.
    const folders = (await readdir(lab.output)).filter((name) => name.startsWith(runIdOf(number)));
    for (const name of folders) await rm(join(lab.output, name), { recursive: true });
    await lab.runs.deleteOne({ _id: first! });
    await reached(lab, second!, 'done');
    await manager.kill();
  });

  test('gets a number of its own from a person, and is then processed by itself', async () => {
    const fields = await template(lab);
    const number = fields['number'] as number;
    const free = number + 5000;
    const manager = await lab.manager({
      config: KEEPING,
    });
    const [first] = await lab.insertRuns({ ...fields, bootstrax: { state: null } });
    const done = await reached(lab, first!, 'done');
    const made = await foldersOf(lab, number);
    const [second] = await lab.insertRuns({ ...fields, bootstrax: { state: null } });
    await reached(lab, second!, 'set_aside');
    const id = second!.toHexString();
    const renumber = (document: string, to: number, ...more: string[]) =>
      lab.command(['renumber', document, String(to), '--reason', 'the DAQ counted anew', ...more]);

    const refused: [string, Awaited<ReturnType<typeof renumber>>][] = [
      [first!.toHexString(), await renumber(id, number)],
      ['has data under the number', await renumber(first!.toHexString(), free)],
      ['there is no run document', await renumber('0'.repeat(24), free)],
      ['Name one of them by its id', await renumber(String(number), free)],
    ];
    await lab.insertRuns({ ...fields, number: free + 1, bootstrax: { state: 'abandoned' } });
    refused.push(['is in use', await renumber(id, free + 1)]);
    for (const [why, { code, stderr }] of refused) {
      expect(code, why).toBe(1);
      expect(stderr).toContain(why === first!.toHexString() ? 'already' : why);
    }
    const preview = await renumber(id, free, '--preview');
    expect(preview.stdout).toContain(join(lab.live, runIdOf(free)));
    expect((await lab.runs.findOne({ _id: second! }))?.number).toBe(number);

    await rename(join(lab.live, runIdOf(number)), join(lab.live, runIdOf(free)));
    const answer = await renumber(id, free, '--json');
    expect(answer.code, answer.stderr).toBe(0);
    expect(JSON.parse(answer.stdout)).toMatchObject({ run: number, document: id, number: free });
    const processed = await reached(lab, second!, 'done');
    expect(processed.number).toBe(free);
    expect(await lab.runs.findOne({ _id: first! })).toEqual(done);
    expect(await foldersOf(lab, number)).toEqual(made);
    const audit = await lab.runsDatabase
      .collection<Document>('bootstrax_actions')
      .findOne({ kind: 'renumber', state: 'done' });
    expect(audit).toMatchObject({ run: number, reason: 'the DAQ counted anew' });
    expect(audit?.['before']).toMatchObject({ document: id, number });
    expect(audit?.['after']).toMatchObject({ document: id, number: free });
    await manager.kill();
  });

  test('is not abandoned by its tag, since others delete data by the number', async () => {
    const fields = await template(lab);
    const number = fields['number'] as number;
    const [first] = await lab.insertRuns({ ...fields, bootstrax: { state: null } });
    const tags = [{ name: 'abandon', user: 'somebody', date: new Date() }];
    const [second] = await lab.insertRuns({ ...fields, tags, bootstrax: { state: null } });
    const manager = await lab.manager({
      config: KEEPING,
    });
    await reached(lab, first!, 'done');
    await manager.event('run.number_shared', { run: number });
    expect((await lab.runs.findOne({ _id: second! }))?.bootstrax.state).toBeNull();
    await lab.runs.deleteOne({ _id: first! });
    await reached(lab, second!, 'abandoned');
    await manager.kill();
  });

  test('that is busy is set aside, whichever id is smaller, and begun once that one is gone', async () => {
    const fields = await template(lab);
    const number = fields['number'] as number;
    const holder = { state: 'busy', host: 'reference.test.local', time: new Date() };
    const [first] = await lab.insertRuns({ ...fields, bootstrax: holder });
    const smaller = ObjectId.createFromHexString(`00${first!.toHexString().slice(2)}`);
    await lab.insertRuns({ ...fields, _id: smaller, bootstrax: { state: null } });
    const manager = await lab.manager({
      config: KEEPING,
    });
    const twin = await reached(lab, smaller, 'set_aside');
    expect(twin.bootstrax.reason).toContain(first!.toHexString());
    expect(await foldersOf(lab, number)).toEqual([]);
    await lab.runs.deleteOne({ _id: first! });
    await reached(lab, smaller, 'done');
    await manager.kill();
  });

  test('keeps live data from being deleted until the number is settled', async () => {
    const fields = await template(lab);
    const number = fields['number'] as number;
    const live = join(lab.live, runIdOf(number));
    const [first] = await lab.insertRuns({ ...fields, bootstrax: { state: null } });
    // Held: nobody claims it, and it is a document of this number all the same.
    const held = { tags: [{ name: 'hold-processing' }], bootstrax: { state: null } };
    const [second] = await lab.insertRuns({ ...fields, ...held });
    const manager = await lab.manager({ config: DELETING });
    await reached(lab, first!, 'done');
    const waiting = await manager.event('live.waiting', { run: number });
    expect(String(waiting['problem'])).toContain(second!.toHexString());
    expect((await stat(live)).isDirectory()).toBe(true);
    await lab.runs.deleteOne({ _id: second! });
    await manager.event('live.deleted', { run: number });
    await manager.kill();
  });

  test('of two managers that claim both at the same moment one begins, and the other sets its own aside', async () => {
    const managers = await Promise.all(HOSTS.map((host) => lab.manager({ host, config: KEEPING })));
    await Promise.all(managers.map((manager) => manager.event('manager.ready')));
    const fields = await template(lab);
    const taken = fields['number'] as number;
    const live = join(lab.live, runIdOf(taken));
    for (let i = 0; i < 6; i++) {
      const number = taken + 1000 + i;
      await rename(
        i === 0 ? live : join(lab.live, runIdOf(number - 1)),
        join(lab.live, runIdOf(number)),
      );
      const document = { ...fields, number, bootstrax: { state: null } };
      const ids = await lab.insertRuns(document, {
        ...document,
        number: WRITTEN[i % WRITTEN.length]!(number),
      });
      const outcomes = await until(`both documents of run ${number} to be settled`, async () => {
        const found = await lab.runs.find({ _id: { $in: ids } }).toArray();
        const all = found.map(({ bootstrax }) => bootstrax.outcome);
        return all.every((outcome) => outcome === 'done' || outcome === 'set_aside') ? all : null;
      });
      expect(outcomes.sort()).toEqual(['done', 'set_aside']);
      const attempts = await lab.attempts.find({ run: number }).toArray();
      expect(attempts.filter(({ result }) => result?.outcome === 'done')).toHaveLength(1);
    }
    await lab.endManagers();
  });
});
