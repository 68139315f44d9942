import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { tryLockFolder } from '../../../src/exclusion/folder-lock.ts';
import { type Holder, holderSchema } from '../../../src/exclusion/holder.pure.ts';
import type { ProcessIdentity } from '../../../src/infra/linux/process-identity.pure.ts';
import { isAlive } from '../../../src/infra/linux/process-identity.ts';
import { holderOf } from '../../support/holder.ts';
import { Lab, type ManagerProcess, until } from '../../support/lab.ts';
import { lacking, NOT_ROOT } from '../../support/lacking.ts';
import { smallMachine } from '../../support/small-machine.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start();
});
afterEach(() => lab.endManagers());
afterAll(() => lab.end());

const needsRoot = test.skipIf(lacking(NOT_ROOT));
let hosts = 0;
/** Each test has a host of its own. */
const newHost = () => `host${(hosts += 1)}.test.local`;

/** Four spellings of one server: the last one names it twice. */
const SPELLINGS = {
  localhost: () => lab.url.replace('127.0.0.1', 'localhost'),
  'another loopback name': () => lab.url.replace('127.0.0.1', 'LOCALHOST'),
  'a list with one member more': () => {
    const { host } = new URL(lab.url);
    return `mongodb://${host},${host.replace('127.0.0.1', 'localhost')}/`;
  },
};

const documentOf = (host: string) => lab.runsDatabase.collection('bootstrax').findOne({ host });

async function holderIn(host: string): Promise<Holder> {
  return holderSchema.parse((await documentOf(host))?.['holder']);
}

/** A run that is processed to its end, by one manager alone. */
async function expectARunDoneOnce(host: string): Promise<void> {
  const [run = 0] = await lab.takeRuns([
    ...['--runs', '1', '--seconds', '2', '--chunk-seconds', '1', '--speed', '0', '--rate', '5'],
  ]);
  const { data } = await lab.reached(run, ['done']);
  const own = data.filter((entry) => entry['host'] === host);
  expect(own.length).toBeGreaterThan(0);
  for (const entry of own) expect(existsSync(String(entry['location']))).toBe(true);
  const attempts = await lab.attempts.find({ run }).toArray();
  expect(attempts.map(({ result }) => result?.outcome)).toEqual(['done']);
}

async function refused(manager: ManagerProcess): Promise<string> {
  await until('the manager to end', () => manager.child.exitCode !== null).catch(
    (error: unknown) => {
      throw new Error(`${String(error)}\n${manager.story()}`, { cause: error });
    },
  );
  expect(manager.child.exitCode, manager.story()).toBe(2);
  const line = manager.lines.find(({ event }) => event === 'manager.refused');
  return String(line?.['msg']);
}

describe.each(Object.entries(SPELLINGS))('two managers of one host, one by %s', (_, spelled) => {
  test.each(['the same state folder', 'a state folder of its own'])(
    'with %s: the newer manager replaces the earlier one, and a run is done once, with its products',
    async (folder) => {
      const host = newHost();
      const earlier = await lab.manager({ host });
      await earlier.event('worker.ready');
      const newer = await lab.manager({
        host,
        env: {
          BOOTSTRAX_MONGO_URL: spelled(),
          ...(folder === 'the same state folder'
            ? {}
            : { BOOTSTRAX_STATE_DIR: join(lab.root, `other-${host}`) }),
        },
      });
      await newer.event('manager.replaced', { pid: earlier.child.pid });
      expect(await earlier.exited).toBe(0);
      await newer.event('manager.ready');
      expect((await holderIn(host)).pid).toBe(newer.child.pid);
      await expectARunDoneOnce(host);
    },
  );
});

test('an earlier manager that does not answer is killed, also when only the database names it', async () => {
  const host = newHost();
  const earlier = await lab.manager({ host });
  await earlier.event('manager.ready');
  earlier.child.kill('SIGSTOP');
  const newer = await lab.manager({
    host,
    env: {
      BOOTSTRAX_MONGO_URL: SPELLINGS.localhost(),
      BOOTSTRAX_STATE_DIR: join(lab.root, `other-${host}`),
    },
  });
  await newer.event('manager.replaced', { pid: earlier.child.pid, how: 'killed' });
  await newer.event('manager.ready');
});

test('of several managers that start at once, in folders of their own, one stays', async () => {
  const host = newHost();
  const managers = await Promise.all(
    Object.values(SPELLINGS).map((spelled, i) =>
      lab.manager({
        host,
        env: {
          BOOTSTRAX_MONGO_URL: spelled(),
          BOOTSTRAX_STATE_DIR: join(lab.root, `start-${i}-${host}`),
        },
      }),
    ),
  );
  const last = await until('one manager to be left', () => {
    const living = managers.filter(({ child }) => child.exitCode === null && !child.signalCode);
    return living.length === 1 ? living[0] : null;
  });
  await last.event('manager.ready');
  expect((await holderIn(host)).pid).toBe(last.child.pid);
});

needsRoot(
  'two network name spaces: the newer manager replaces the earlier one in the same state folder',
  async () => {
    const host = newHost();
    const earlier = await lab.manager({ host });
    await earlier.event('manager.ready');
    // No way to the database from there: the folder alone decides.
    const newer = await lab.manager({ host, under: ['unshare', '-n'] });
    await newer.event('manager.replaced');
    expect(await earlier.exited).toBe(0);
  },
);

needsRoot(
  'another pid name space: an earlier manager that does not end is not killed, and the newer one is refused',
  async () => {
    const host = newHost();
    const earlier = await lab.manager({ host });
    await earlier.event('manager.ready');
    earlier.child.kill('SIGSTOP');
    const inside = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'];
    const newer = await lab.manager({ host, under: inside });
    expect(await refused(newer)).toContain('another pid name space');
    earlier.child.kill('SIGCONT');
    expect(earlier.child.exitCode).toBeNull();
  },
);

test('kill -9 frees the state folder at once although its strax child lives on', async () => {
  const host = newHost();
  const config = smallMachine({ worker: { contextOptions: { sleep_seconds: 600 } } });
  const earlier = await lab.manager({ host, config });
  await earlier.event('worker.ready');
  const [run = 0] = await lab.takeRuns(['--runs', '1', '--seconds', '2', '--speed', '0']);
  const { bootstrax } = await lab.reached(run, ['busy']);
  const files = join(lab.stateDir(host), 'attempts', bootstrax.attempt ?? '', 'started.json');
  await until('the child to be there', () => existsSync(files));
  await earlier.kill();
  const lock = tryLockFolder(lab.stateDir(host));
  expect(lock).not.toBeNull();
  lock?.release();
  const { child } = JSON.parse(await readFile(files, 'utf8')) as { child: ProcessIdentity };
  expect(isAlive(child)).toBe(true);
  const newer = await lab.manager({ host, config });
  await newer.event('manager.ready');
  expect(isAlive(child)).toBe(true);
  const stopped = await lab.command(['stop', '--children'], { host });
  expect(stopped.code).toBe(0);
  await lab.command(['abandon', String(run), 'no', 'more'], { host });
});

test('a name that only the resolver gives is overruled by that of the state folder, with a warning', async () => {
  const host = newHost();
  const first = await lab.manager({ host });
  await first.event('manager.ready');
  await first.kill();
  const env = { BOOTSTRAX_HOST: '', BOOTSTRAX_STATE_DIR: lab.stateDir(host) };
  const second = await lab.manager({ env });
  const { msg } = await second.event('host.name_overruled');
  expect(msg).toContain(`this manager runs as ${host}`);
  expect(await second.event('manager.ready')).toMatchObject({ host });
  const { stdout } = await lab.command(['stop', '--children', '--json'], { env });
  expect(JSON.parse(stdout)).toMatchObject({ ok: true });
});

needsRoot(
  'a manager that writes under this name on another machine is not replaced: exit 2',
  async () => {
    const host = newHost();
    const boot = join(lab.root, 'boot_id');
    await writeFile(boot, '00000000-0000-4000-8000-000000000000\n');
    // All that tells machines apart here.
    const mount = 'mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"';
    const earlier = await lab.manager({ host, under: ['unshare', '-m', 'sh', '-c', mount, boot] });
    await earlier.event('manager.ready');
    const { pid, machine } = await holderIn(host);
    const own = { BOOTSTRAX_STATE_DIR: join(lab.root, `other-${host}`) };
    const env = { ...own, BOOTSTRAX_MONGO_URL: SPELLINGS.localhost() };
    const why = await refused(await lab.manager({ host, env }));
    expect(why).toContain(`another machine holds the name ${host} (pid ${pid} on ${machine}`);
    // In the same folder, as on a shared home.
    const there = { BOOTSTRAX_MONGO_URL: SPELLINGS.localhost() };
    expect(await refused(await lab.manager({ host, env: there }))).toContain('on another machine');
    expect(earlier.child.exitCode).toBeNull();
  },
);

test('a silent manager on another machine is taken over from', async () => {
  const host = newHost();
  const holder = holderOf(host);
  await lab.runsDatabase.collection<{ _id: string }>('bootstrax').insertOne({
    ...{ _id: `host:${host}`, host, state: 'idle', time: new Date() },
    holder,
  } as { _id: string });
  const newer = await lab.manager({ host });
  await newer.event('manager.watching');
  await newer.event('manager.ready');
});

test('a manager whose name another one has taken, alive on another machine, ends with a sentence', async () => {
  const host = newHost();
  const earlier = await lab.manager({ host });
  await earlier.event('manager.ready');
  const holder = holderOf(host, { instance: 'e'.repeat(24), machine: 'eb9' });
  const documents = lab.runsDatabase.collection('bootstrax');
  let ended = false;
  const beats = (async () => {
    while (!ended) {
      await documents.updateOne({ host }, { $set: { holder }, $currentDate: { time: true } });
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  })();
  expect(await refused(earlier)).toContain('another machine holds the name');
  ended = true;
  await beats;
  const log = lab.client.db(lab.daqDb).collection('log');
  expect(await log.findOne({ message: /another machine holds the name/ })).not.toBeNull();
});

test('a manager whose name was taken by one that is gone takes it back', async () => {
  const host = newHost();
  const earlier = await lab.manager({ host });
  await earlier.event('manager.ready');
  const { pid } = await holderIn(host);
  const holder = holderOf(host, { instance: 'e'.repeat(24) });
  await lab.runsDatabase.collection('bootstrax').updateOne({ host }, { $set: { holder } });
  await until('the document to name the manager again', async () => {
    return (await holderIn(host)).pid === pid;
  });
});

describe('a state folder', () => {
  test('under another host name, set explicitly: exit 2, with the owner and what to do', async () => {
    const [one, two] = [newHost(), newHost()];
    const shared = { BOOTSTRAX_STATE_DIR: join(lab.root, `shared-${one}`) };
    const first = await lab.manager({ host: one, env: shared });
    await first.event('manager.ready');
    for (const mayLive of [true, false]) {
      if (!mayLive) await first.kill();
      const why = await refused(await lab.manager({ host: two, env: shared }));
      expect(why).toContain(`belongs to host ${one}`);
      expect(why).toContain(`bootstrax adopt --host ${two}`);
      if (mayLive) expect(first.child.exitCode).toBeNull();
    }
  });

  test('of another database is taken if all is concluded, else refused: exit 2', async () => {
    const host = newHost();
    const stateDir = join(lab.root, `moved-${host}`);
    const env = { BOOTSTRAX_STATE_DIR: stateDir };
    const first = await lab.manager({ host, env });
    await first.event('worker.ready');
    await lab.takeRuns(['--runs', '1', '--seconds', '2', '--speed', '0', '--rate', '5']);
    const { attempt } = await first.event('attempt.ended');
    await first.kill();
    const record: unknown = JSON.parse(await readFile(join(stateDir, 'state-folder.json'), 'utf8'));
    expect(record).toMatchObject({ host, database: { name: lab.runsDb } });
    const runsDb = `${lab.runsDb}_other`;
    const elsewhere = { ...env, BOOTSTRAX_RUNS_DB: runsDb };
    const concluded = join(stateDir, 'attempts', String(attempt), 'concluded');
    await rm(concluded);
    const why = await refused(await lab.manager({ host, env: elsewhere }));
    expect(why).toContain('1 attempt of it that is not concluded');
    await writeFile(concluded, '');
    const second = await lab.manager({ host, env: elsewhere });
    await second.event('state_folder.other_database');
    await second.event('manager.ready');
    await second.kill();
    await lab.client.db(runsDb).dropDatabase();
  });

  test('of a renamed host goes on with all that is its own, once it is adopted', async () => {
    const [before, after] = [newHost(), newHost()];
    const env = { BOOTSTRAX_STATE_DIR: lab.stateDir(before) };
    const first = await lab.manager({ host: before });
    await first.event('worker.ready');
    const [run = 0] = await lab.takeRuns([
      ...['--runs', '1', '--seconds', '2', '--chunk-seconds', '1', '--speed', '0', '--rate', '5'],
    ]);
    const { data } = await lab.reached(run, ['done']);
    const busy = await lab.command(['adopt'], { host: after, env });
    expect([busy.code, busy.stderr]).toEqual([1, expect.stringContaining('end it first')]);
    await first.kill();
    const { stdout } = await lab.command(['adopt', '--json'], { host: after, env });
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, from: before, to: after, runs: 1 });
    const moved = await lab.run(run);
    expect(moved.bootstrax.host).toBe(after);
    const expected = data.map((entry) =>
      entry['host'] === before ? { ...entry, host: after } : entry,
    );
    expect(moved.data).toEqual(expected);
    expect((await lab.attempts.findOne({ run }))?.host).toBe(after);
    const second = await lab.manager({ host: after, env });
    await second.event('manager.ready');
  });

  test('that is a copy gets an id of its own', async () => {
    const host = newHost();
    const first = await lab.manager({ host });
    await first.event('manager.ready');
    const { state_folder: id } = await holderIn(host);
    await first.kill();
    const copy = join(lab.root, `copy-${host}`);
    const filter = (path: string) => !/\.sock$|\/socket$/.test(path);
    await cp(lab.stateDir(host), copy, { recursive: true, filter });
    const second = await lab.manager({ host, env: { BOOTSTRAX_STATE_DIR: copy } });
    await second.event('manager.ready');
    expect((await holderIn(host)).state_folder).not.toBe(id);
  });

  test('whose path is longer than a socket’s may be has a socket all the same', async () => {
    const host = newHost();
    const long = join(lab.root, 'a'.repeat(120), host);
    await mkdir(long, { recursive: true });
    const env = { BOOTSTRAX_STATE_DIR: long };
    const first = await lab.manager({ host, env });
    await first.event('manager.ready');
    const { stdout } = await lab.command(['stop', '--children', '--json'], { host, env });
    expect(JSON.parse(stdout)).toMatchObject({ ok: true });
    const second = await lab.manager({ host, env });
    await second.event('manager.replaced', { how: 'ended' });
    expect(await first.exited).toBe(0);
  });

  test('without the program flock ends the manager with exit 2, and says what to install', async () => {
    const host = newHost();
    const manager = await lab.manager({ host, env: { PATH: '/nowhere' } });
    expect(await refused(manager)).toContain('install util-linux');
  });
});

describe('commands', () => {
  test('find the manager by another spelling of its database', async () => {
    const host = newHost();
    const manager = await lab.manager({ host });
    await manager.event('manager.ready');
    const env = { BOOTSTRAX_MONGO_URL: SPELLINGS.localhost() };
    const { code, stdout } = await lab.command(['stop', '--children', '--json'], { host, env });
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { ok: true }]);
  });

  test('for another database do not reach it, although they name its state folder', async () => {
    const host = newHost();
    const manager = await lab.manager({ host });
    await manager.event('manager.ready');
    const other = await Lab.start();
    try {
      // A copy of the host's document, as a dump would have it.
      const document = await documentOf(host);
      await other.client
        .db(lab.runsDb)
        .collection('bootstrax')
        .insertOne(document as { _id: never });
      const env = { BOOTSTRAX_MONGO_URL: other.url };
      const { code, stderr } = await lab.command(['stop', '--children'], { host, env });
      expect([code, stderr]).toEqual([1, expect.stringContaining('is in use by a manager')]);
      const newer = await lab.manager({ host, env });
      expect(await refused(newer)).toContain('its heartbeat does not appear');
      expect(manager.child.exitCode).toBeNull();
      await other.client.db(lab.runsDb).dropDatabase();
    } finally {
      await other.end();
    }
  });
});
