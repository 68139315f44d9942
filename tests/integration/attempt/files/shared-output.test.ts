import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readFile, rename, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import type { Result, Started } from '../../../../src/attempt/attempt.pure.ts';
import { inspectProducts } from '../../../../src/attempt/files/products.ts';
import { Lab, type StoredRun, until } from '../../../support/lab.ts';
import { smallMachine } from '../../../support/small-machine.ts';

const ALPHA = 'alpha.test.local';
const BETA = 'beta.test.local';
/** Takes over within seconds. */
const HASTY = smallMachine({
  limits: {
    renewSeconds: 0.3,
    busyLeaseSeconds: 3,
    consideringLeaseSeconds: 3,
    housekeepingSeconds: 0.5,
  },
});

let lab: Lab;

beforeAll(async () => {
  lab = await Lab.start();
});

afterEach(async () => {
  await lab.endManagers();
});

afterAll(async () => {
  await lab.end();
});

function foldersIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

async function started(attempt: string): Promise<Started> {
  return JSON.parse(await lab.attemptFile(ALPHA, attempt, 'started.json')) as Started;
}

/** All that the run lists for a host is there, whole, and says that this attempt made it. */
async function expectWhole(run: StoredRun, host: string, attempt: string): Promise<void> {
  const listed = run.data.flatMap((entry) => (entry['host'] === host ? [entry['location']] : []));
  expect(listed.length).toBeGreaterThan(1);
  const { products } = await inspectProducts(lab.output, String(run.number).padStart(6, '0'));
  const whole = products.filter(({ problems }) => problems.length === 0);
  expect(whole.map(({ location }) => location).sort()).toEqual(listed.sort());
  for (const { location, type, lineageHash } of products) {
    const file = join(location, `${type}-${lineageHash}-metadata.json`);
    const { bootstrax } = JSON.parse(await readFile(file, 'utf8')) as {
      bootstrax: Record<string, unknown>;
    };
    expect(bootstrax).toEqual({ attempt, document: run._id.toHexString(), host });
  }
}

/** Nobody needs what is left in the place of an attempt. */
async function placeGone(attempt: string): Promise<void> {
  await until('the place of the first attempt to be gone', () => !existsSync(lab.placeOf(attempt)));
}

/** The first host follows a run that is being taken, and has a folder of it. */
async function firstHostAtWork() {
  const alpha = await lab.manager({ host: ALPHA, config: HASTY });
  await alpha.event('manager.ready');
  const taking = lab.takeRuns(['--seconds', '6', '--speed', '1', '--chunk-seconds', '1']);
  const { run: number, attempt } = (await alpha.event('attempt.started')) as {
    run: number;
    attempt: string;
  };
  await until('a folder of the first host', () => foldersIn(lab.placeOf(attempt)).length > 0);
  return { alpha, taking, number, attempt };
}

test('one host stands still past its lease, another makes the run in the same folder: when the first goes on, nothing of the second is lost', async () => {
  const { alpha, taking, number, attempt } = await firstHostAtWork();
  // Its strax process goes on and ends: one that stood still would be waited for on this machine.
  alpha.child.kill('SIGSTOP');
  const beta = await lab.manager({ host: BETA, config: HASTY });
  await taking;
  const { attempt: second } = (await beta.event('attempt.ended', {
    run: number,
    outcome: 'done',
  })) as { attempt: string };
  const run = await lab.run(number);
  expect(run.bootstrax).toMatchObject({ state: 'done', host: BETA, last_attempt: second });
  alpha.child.kill('SIGCONT');
  await alpha.event('attempt.superseded', { run: number });
  await until('the first attempt to be wound up', () =>
    existsSync(join(lab.stateDir(ALPHA), 'attempts', attempt, 'concluded')),
  );
  await placeGone(attempt);
  const after = await lab.run(number);
  expect(after.data.map(({ host }) => host).filter((host) => host === ALPHA)).toEqual([]);
  await expectWhole(after, BETA, second);
});

test('a host that was killed comes back after another is done in the same folder: nothing of the other is lost', async () => {
  const { alpha, taking, number, attempt } = await firstHostAtWork();
  const { child, guardian } = await started(attempt);
  alpha.child.kill('SIGKILL');
  for (const pid of [guardian.pid, child.pid]) process.kill(pid, 'SIGKILL');
  await alpha.exited;
  const beta = await lab.manager({ host: BETA, config: HASTY });
  await taking;
  const ended = await beta.event('attempt.ended', { run: number, outcome: 'done' });
  const again = await lab.manager({ host: ALPHA, config: HASTY });
  await again.event('attempt.products_removed', { run: number, attempt });
  await placeGone(attempt);
  await expectWhole(await lab.run(number), BETA, ended['attempt'] as string);
});

test('what a superseded attempt has finished stays in its place until another host is done with the same data', async () => {
  const { alpha, taking, number, attempt } = await firstHostAtWork();
  alpha.child.kill('SIGSTOP');
  await taking;
  const directory = join(lab.stateDir(ALPHA), 'attempts', attempt);
  await until('the child to end', () => existsSync(join(directory, 'exit.json')));
  const made = foldersIn(lab.placeOf(attempt));
  const bootstrax = { state: 'busy', host: 'gamma.test.local', time: new Date() };
  await lab.runs.updateOne({ number }, { $set: { bootstrax } });
  alpha.child.kill('SIGCONT');
  await alpha.event('attempt.superseded', { run: number });
  await until('the attempt to be wound up', () => existsSync(join(directory, 'concluded')));
  expect(foldersIn(lab.placeOf(attempt))).toEqual(made);
  const [first] = made;
  const ofRun = foldersIn(lab.output).filter((name) => name.startsWith(first!.split('-')[0]!));
  expect(ofRun).toEqual([]);
  const { data } = await lab.run(number);
  const entries = made.map((name) => ({
    ...{ type: name.split('-')[1], host: 'gamma.test.local', location: `/gamma/${name}` },
  }));
  await lab.runs.updateOne(
    { number },
    {
      $set: {
        bootstrax: { ...bootstrax, state: 'done' },
        status: 'eb_finished_pre',
        data: [...data, ...entries],
      },
    },
  );
  await alpha.event('place.removed', { attempt });
  await placeGone(attempt);
});

test('places of attempts that nobody here knows are found, and only those of this host are removed', async () => {
  const [ours, theirs] = ['a', 'b'].map((digit) => lab.placeOf(digit.repeat(24))) as [
    string,
    string,
  ];
  const hourAgo = new Date(Date.now() - 3_600_000);
  for (const [place, host] of [
    [ours, ALPHA],
    [theirs, BETA],
  ] as const) {
    const folder = join(place, '000001-peaks-abcdefghij_temp');
    const metadata = join(folder, 'peaks-abcdefghij-metadata.json');
    await mkdir(folder, { recursive: true });
    const bootstrax = { attempt: basename(place), document: 'gone', host };
    await writeFile(metadata, JSON.stringify({ chunks: [], bootstrax }));
    for (const path of [metadata, folder, place]) await utimes(path, hourAgo, hourAgo);
  }
  const { stdout } = await lab.command(['reconcile', '--json'], { host: ALPHA });
  const { findings } = JSON.parse(stdout) as { findings: { kind: string; path: string }[] };
  const left = findings.filter(({ kind }) => kind === 'place_left').map(({ path }) => path);
  expect(left).toEqual([ours]);
  expect(existsSync(ours)).toBe(true);
  const alpha = await lab.manager({ host: ALPHA, config: HASTY });
  await alpha.event('place.removed', { attempt: basename(ours) });
  expect(existsSync(ours)).toBe(false);
  await alpha.event('manager.ready');
  expect(existsSync(theirs)).toBe(true);
});

test('a run is tagged to be abandoned while its products are published: that is finished first', async () => {
  const cut = 'publishing.json:after';
  const alpha = await lab.manager({
    ...{ host: ALPHA, config: HASTY, env: { BOOTSTRAX_CRASH_AT: cut } },
  });
  const [number] = await lab.takeRuns(['--seconds', '2', '--speed', '0', '--chunk-seconds', '1']);
  const { attempt } = await alpha.event('attempt.started', { run: number });
  await alpha.exited;
  const tag = { name: 'abandon', user: 'shifter', date: new Date() };
  await lab.runs.updateOne({ number: number! }, { $set: { tags: [tag] } });
  const next = await lab.manager({ host: ALPHA, config: HASTY });
  await next.event('attempt.ended', { run: number!, attempt: String(attempt), outcome: 'done' });
  // Then it is a done run with that tag.
  await expectWhole(await lab.reached(number!, ['abandoned']), ALPHA, String(attempt));
});

test('another manager of this host concludes this very attempt: its products and entries stay', async () => {
  const alpha = await lab.manager({ host: ALPHA, config: HASTY });
  await alpha.event('manager.ready');
  const taking = lab.takeRuns(['--seconds', '3', '--speed', '1', '--chunk-seconds', '1']);
  const { run: number, attempt } = (await alpha.event('attempt.started')) as {
    run: number;
    attempt: string;
  };
  alpha.child.kill('SIGSTOP');
  await taking;
  const directory = join(lab.stateDir(ALPHA), 'attempts', attempt);
  await until('the child to end', () => existsSync(join(directory, 'exit.json')));
  const result = JSON.parse(await lab.attemptFile(ALPHA, attempt, 'result.json')) as Result;
  for (const { location } of result.products) {
    await rename(location, join(lab.output, basename(location)));
  }
  const entries = result.products.map(({ type, location }) => {
    return { type, host: ALPHA, location: join(lab.output, basename(location)) };
  });
  const { data } = await lab.run(number);
  await lab.runs.updateOne({ number }, {
    $set: {
      'bootstrax.state': 'done',
      'bootstrax.last_attempt': attempt,
      'bootstrax.outcome': 'done',
      status: 'eb_finished_pre',
      data: [...data.filter(({ host }) => host !== ALPHA), ...entries],
    },
    $unset: { 'bootstrax.attempt': '' },
  } as never);
  alpha.child.kill('SIGCONT');
  await alpha.event('attempt.concluded_by_another', { run: number });
  await until('the attempt to be wound up', () => existsSync(join(directory, 'concluded')));
  const run = await lab.run(number);
  expect(run.bootstrax).toMatchObject({ state: 'done', last_attempt: attempt });
  await expectWhole(run, ALPHA, attempt);
});

test('a folder of a done run that lies in the way of another document of its number stays, and the attempt says so', async () => {
  const alpha = await lab.manager({ host: ALPHA, config: HASTY });
  await alpha.event('manager.ready');
  const [number] = await lab.takeRuns(['--seconds', '2', '--speed', '0', '--chunk-seconds', '1']);
  const first = await lab.reached(number!, ['done']);
  const { attempt } = (await alpha.event('attempt.ended', { run: number! })) as { attempt: string };
  await alpha.kill();
  const { _id, bootstrax, status, data, ...rest } = first;
  await lab.insertRuns({ ...rest, data: data.filter(({ type }) => type === 'live') });
  const next = await lab.manager({ host: ALPHA, config: HASTY });
  const told = await Promise.race([
    next.event('attempt.ended', { run: number!, outcome: 'requeued' }).then(({ msg }) => msg),
    until('the second document to be left alone or set aside', async () => {
      const second = await lab.runs.findOne({ number: number!, _id: { $ne: first._id } });
      return second?.bootstrax?.reason;
    }),
  ]);
  expect(told).toBeTruthy();
  const kept = await lab.runs.findOne({ _id: first._id });
  expect(kept?.bootstrax).toMatchObject({ state: 'done', last_attempt: attempt });
  await expectWhole(kept!, ALPHA, attempt);
});

test('the reference goes on with a run of this host under its name and copies our fields along: it is left alone while its time is fresh', async () => {
  const alpha = await lab.manager({ host: ALPHA, config: HASTY });
  await alpha.event('manager.ready');
  const taking = lab.takeRuns(['--seconds', '6', '--speed', '1', '--chunk-seconds', '1']);
  const { run: number, attempt } = (await alpha.event('attempt.started')) as {
    run: number;
    attempt: string;
  };
  const { child, guardian } = await until('the child', () => started(attempt).catch(() => null));
  alpha.child.kill('SIGKILL');
  for (const pid of [guardian.pid, child.pid]) process.kill(pid, 'SIGKILL');
  await alpha.exited;
  await taking;
  const { bootstrax } = await lab.run(number);
  const folder = join(lab.output, `${String(number).padStart(6, '0')}-peaks-abcdefghij_temp`);
  await mkdir(folder);
  await writeFile(join(folder, 'peaks-abcdefghij-metadata.json'), '{"chunks": []}');
  let signs = 0;
  const sign = async () => {
    await lab.runs.updateOne(
      { number },
      { $set: { bootstrax: { ...bootstrax, state: 'busy', time: new Date() } } },
    );
    signs++;
  };
  await sign();
  const again = await lab.manager({ host: ALPHA, config: HASTY });
  await again.event('attempt.products_removed', { run: number, attempt });
  // For longer than a lease of ours, and than the 7 s after which it was taken away.
  const begin = performance.now();
  await until('some heartbeats of the reference', async () => {
    await sign();
    return performance.now() - begin > 8000;
  });
  expect((await lab.run(number)).bootstrax).toMatchObject({ state: 'busy', attempt });
  expect(existsSync(folder)).toBe(true);
  expect(signs).toBeGreaterThan(2);
  await again.event('run.stale', { run: number });
  const ended = await lab.run(number);
  expect(ended.bootstrax.n_failures ?? 0).toBe(0);
});
