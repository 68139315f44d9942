import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, symlink, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { Lab, until } from '../../../support/lab.ts';

const HOST = 'alpha.test.local';
/** Whole seconds: file systems round. */
const HOUR_AGO = new Date(Math.floor(Date.now() / 1000 - 3600) * 1000);

interface Finding {
  kind: string;
  run: number | null;
  path: string | null;
  says: string;
  action: { kind: string } | null;
  applied: { kind: string } | null;
  needsPerson: boolean;
  details: Record<string, unknown>;
}

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start();
});
afterAll(() => lab.end());

async function reconcile(...more: string[]): Promise<{ code: number; findings: Finding[] }> {
  const { code, stdout, stderr } = await lab.command(['reconcile', '--json', ...more]);
  expect(stdout, stderr).not.toBe('');
  const { findings } = JSON.parse(stdout) as { findings: Finding[] };
  return { code, findings };
}

const short = (findings: readonly Finding[]) =>
  findings.map(({ kind, run, needsPerson }) => `${kind} ${run}${needsPerson ? '!' : ''}`);

/** A folder as strax would leave it, last changed at that time. */
async function leave(path: string, when: Date): Promise<void> {
  await mkdir(path);
  await writeFile(join(path, 'chunk'), 'data');
  await utimes(join(path, 'chunk'), when, when);
  await utimes(path, when, when);
}

async function makeOlder(folder: string, when: Date): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await makeOlder(path, when);
    await utimes(path, when, when);
  }
  await utimes(folder, when, when);
}

/** A run whose one attempt here was ended by a person, and that nobody takes again. */
async function failedRun(): Promise<{ number: number; location: string }> {
  const manager = await lab.manager();
  await manager.event('manager.ready');
  const taking = lab.takeRuns(['--seconds', '20', '--speed', '1', '--chunk-seconds', '1']);
  const started = await manager.event('attempt.started');
  const number = started['run'] as number;
  const attempt = started['attempt'] as string;
  // As an earlier release had it, its folders lie in the output folder in the end.
  const location = await until('the attempt to announce a folder', async () => {
    const text = await lab.attemptFile(HOST, attempt, 'progress.ndjson').catch(() => '');
    const announced = /"location": ?"([^"]*)"/.exec(text)?.[1];
    return announced === undefined ? undefined : join(lab.output, basename(announced));
  });
  await lab.command(['handback', '--end-children']);
  await manager.exited;
  await taking;
  await lab.runs.updateOne({ number }, { $set: { 'bootstrax.state': 'abandoned' } });
  return { number, location };
}

test('nothing is amiss after a run, nor while one is being processed, which it does not disturb', async () => {
  const manager = await lab.manager();
  await manager.event('manager.ready');
  const taking = lab.takeRuns(['--seconds', '20', '--speed', '1', '--chunk-seconds', '1']);
  const started = await manager.event('attempt.started');
  const number = started['run'] as number;
  let looks = 0;
  for (let state = 'busy'; state === 'busy'; looks++) {
    const { code, findings } = await reconcile('--apply');
    expect({ code, needed: findings.filter((each) => each.needsPerson || each.applied) }).toEqual({
      code: 0,
      needed: [],
    });
    state = (await lab.run(number)).bootstrax.state ?? '';
  }
  expect(looks).toBeGreaterThan(1);
  await taking;
  const run = await lab.reached(number, ['done']);
  expect(run.bootstrax.n_failures ?? 0).toBe(0);
  await manager.event('attempt.ended', { run: number, outcome: 'done' });
  expect(await reconcile('--apply')).toEqual({ code: 0, findings: [] });
  for (const { host, location } of run.data) {
    if (host === HOST) expect(existsSync(String(location))).toBe(true);
  }
  await manager.kill();
});

test('runs whose document was never written, and documents whose data is gone', async () => {
  const [lost, emptied] = await lab.takeRuns([
    ...['--runs', '2', '--seconds', '3', '--speed', '0', '--chunk-seconds', '1'],
  ]);
  await lab.runs.deleteOne({ number: lost! });
  const folder = join(lab.live, String(lost).padStart(6, '0'));
  // So soon the document may still come.
  const soon = await reconcile();
  expect(soon).toMatchObject({ code: 0, findings: [{ kind: 'live_without_document', run: lost }] });
  await makeOlder(folder, HOUR_AGO);
  const chunks = (await readdir(folder)).filter((name) => /^\d{6}$/.test(name));
  const away = join(lab.root, 'away');
  const live = join(lab.live, String(emptied).padStart(6, '0'));
  await lab.runs.updateOne({ number: emptied! }, { $set: { start: HOUR_AGO, end: HOUR_AGO } });
  await rename(live, away);
  const { code, findings } = await reconcile('--apply');
  expect(code).toBe(1);
  expect(short(findings)).toEqual([`live_without_document ${lost}!`, `live_missing ${emptied}!`]);
  expect(findings[0]!.details).toMatchObject({
    chunks: chunks.length,
    first: HOUR_AGO.toISOString(),
    last: HOUR_AGO.toISOString(),
  });
  expect(chunks.length).toBeGreaterThan(1);
  expect(findings[0]!.details['bytes']).toBeGreaterThan(0);
  expect(findings[0]!.says).toContain(folder);
  await rename(away, live);
  // Restricted to runs, it looks at no others.
  expect((await reconcile('--to', String(lost! - 1))).code).toBe(0);
  await lab.runs.updateOne({ number: lost! }, { $set: { 'bootstrax.state': 'abandoned' } });
  await lab.runs.updateMany({}, { $set: { 'bootstrax.state': 'abandoned' } });
  await rename(folder, join(lab.root, 'lost'));
});

test('--apply takes back what a failed attempt of this host left, and nothing else', async () => {
  const { number, location } = await failedRun();
  expect(await reconcile()).toEqual({ code: 0, findings: [] });
  const name = (type: string) => join(lab.output, `${String(number).padStart(6, '0')}-${type}`);
  const foreign = name('foreign-abcdef');
  const later = name('later-abcdef_temp');
  const linked = name('linked-abcdef');
  await leave(`${location}_temp`, HOUR_AGO);
  await leave(foreign, HOUR_AGO);
  await leave(later, new Date());
  await symlink(foreign, linked);
  const gone = { type: 'gone', host: HOST, location: name('gone-abcdef') };
  const other = { type: 'peaks', host: 'dead.test.local', location: '/data/x' };
  await lab.runs.updateOne({ number }, { $push: { data: { $each: [gone, other] } } as never });
  await lab.runsDatabase.collection<{ host: string }>('bootstrax').insertOne({
    host: 'dead.test.local',
    state: 'idle',
    time: HOUR_AGO,
  } as never);

  const before = await reconcile('--from', String(number));
  expect(before.code).toBe(1);
  expect(short(before.findings).sort()).toEqual([
    'dead_host null!',
    `entry_without_data ${number}!`,
    `folder_unfinished ${number}!`,
    `folder_unfinished ${number}!`,
    `folder_unregistered ${number}!`,
    `folder_unregistered ${number}!`,
  ]);
  const removable = before.findings.filter(({ action }) => action !== null);
  expect(removable.map(({ path }) => path)).toEqual([`${location}_temp`]);
  expect(existsSync(`${location}_temp`)).toBe(true);

  // While anybody holds the run, or lists the folder, it stays.
  for (const held of ['considering', 'busy'] as const) {
    await lab.runs.updateOne(
      { number },
      { $set: { 'bootstrax.state': held, 'bootstrax.host': 'beta.test.local' } },
    );
    await reconcile('--apply');
    expect(existsSync(`${location}_temp`)).toBe(true);
  }
  await lab.runs.updateOne(
    { number },
    { $set: { 'bootstrax.state': 'failed', 'bootstrax.host': HOST, 'bootstrax.n_failures': 10 } },
  );
  const entry = { type: 'x', host: 'beta.test.local', location };
  await lab.runs.updateOne({ number }, { $push: { data: entry } as never });
  await reconcile('--apply');
  expect(existsSync(`${location}_temp`)).toBe(true);
  await lab.runs.updateOne({ number }, { $pull: { data: { type: 'x' } } as never });

  // Killed in the middle, and done again: it is neither listed nor lost before.
  for (const point of ['trash.take:after', 'trash.doom:before']) {
    const cut = await lab.command(['reconcile', '--apply', '--json'], {
      env: { BOOTSTRAX_CRASH_AT: point },
    });
    expect(cut.stderr).toContain(`${point}: killed here`);
    expect(existsSync(`${location}_temp`)).toBe(false);
  }
  const after = await reconcile('--apply', '--from', String(number));
  const applied = after.findings.filter(({ applied: what }) => what !== null);
  expect(applied.map(({ kind, applied: what }) => [kind, what])).toEqual([
    ['folder_unfinished', { kind: 'done' }],
  ]);
  for (const path of [foreign, later, linked]) expect(existsSync(path), path).toBe(true);
  const staging = await readdir(`${lab.output}.staging`, { recursive: true });
  expect(staging.filter((each) => each.includes('~'))).toEqual([]);
  const told = await lab.client
    .db(lab.daqDb)
    .collection('log')
    .findOne({ message: /^reconcile on alpha/ });
  expect(told).not.toBeNull();

  // An entry whose folder is gone, of the attempt itself, is withdrawn.
  const own = { type: 'own', host: HOST, location };
  await lab.runs.updateOne({ number }, { $push: { data: own } as never });
  const withdrawn = await reconcile('--apply', '--from', String(number));
  const entries = withdrawn.findings.filter(({ kind }) => kind === 'entry_without_data');
  expect(entries.map(({ path, applied: what }) => [path, what?.kind ?? null]).sort()).toEqual(
    [
      [gone.location, null],
      [location, 'done'],
    ].sort(),
  );
  const document = await lab.run(number);
  expect(document.data.map(({ type }) => type)).not.toContain('own');
  expect(document.data.map(({ type }) => type)).toContain('gone');
  expect(document['deleted_data']).toEqual(
    expect.arrayContaining([expect.objectContaining({ type: 'own', by: HOST })]),
  );
});

test('a child that goes on without a manager is told of, and left alone', async () => {
  const manager = await lab.manager();
  await manager.event('manager.ready');
  const taking = lab.takeRuns(['--seconds', '20', '--speed', '1', '--chunk-seconds', '1']);
  const started = await manager.event('attempt.started');
  const number = started['run'] as number;
  await manager.kill('SIGKILL');
  const { code, findings } = await reconcile('--apply', '--from', String(number));
  expect(code).toBe(1);
  const [finding] = findings.filter(({ run }) => run === number);
  expect(finding).toMatchObject({ kind: 'attempt_unfinished', details: { alive: true } });
  const next = await lab.manager();
  await taking;
  await lab.reached(number, ['done']);
  await next.event('attempt.ended', { run: number, outcome: 'done' });
  expect((await reconcile('--from', String(number))).findings.map(({ run }) => run)).not.toContain(
    number,
  );
  await next.kill();
});

test('a disk that is not there is said to be so, and nothing is taken for missing', async () => {
  const env = { BOOTSTRAX_OUTPUT: '/no/such/folder' };
  const { code, stderr } = await lab.command(['reconcile', '--apply'], { env });
  expect(code).toBe(1);
  expect(stderr).toMatch(/\/no\/such\/folder.*paths\.output/);
});
