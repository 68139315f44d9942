import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { BSON } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { Lab, until } from '../../../support/lab.ts';
import { configuration } from '../../../support/small-machine.ts';
import { HEADER_BYTES, OP_MSG, wireMessages } from '../../../support/wire.ts';
import { lastJson } from '../../cli/bundle.ts';

const HOST = 'eb3.test.local';
const OTHER = 'eb4.test.local';
const CONFIG = configuration({
  host: { byName: [{ pattern: '*', role: 'primary', resourceTable: 'new' }] },
  targets: { shedding: 'reference' },
  limits: { idlePollSeconds: 0.2, renewSeconds: 0.2, busyLeaseSeconds: 2 },
});
/** What a client asks a server that it only reads. */
const READING = [
  ...['hello', 'ismaster', 'find', 'getMore', 'aggregate', 'killCursors', 'ping', 'endSessions'],
];

let lab: Lab;
let wire: Wiretap;
beforeAll(async () => {
  lab = await Lab.start();
  wire = await Wiretap.to(lab.url);
});
afterAll(async () => {
  await wire.close();
  await lab.end();
});

/** A relay that notes the name of each command. */
class Wiretap {
  readonly commands = new Map<string, number>();
  readonly #sockets = new Set<Socket>();
  readonly #server;

  private constructor(host: string, port: number) {
    this.#server = createServer((near) => {
      const far = connect({ host, port });
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(one);
        one.on('error', () => undefined).on('close', () => other.destroy());
        one.pipe(other);
      }
      near.on(
        'data',
        wireMessages((message) => {
          if (message.readInt32LE(12) !== OP_MSG) return;
          const at = HEADER_BYTES + 5;
          const command = BSON.deserialize(message.subarray(at, at + message.readInt32LE(at)));
          const name = Object.keys(command)[0] ?? '';
          this.commands.set(name, (this.commands.get(name) ?? 0) + 1);
          // A pipeline can write, too.
          if (/"\$(out|merge)"/.test(JSON.stringify(command))) this.commands.set('$out', 1);
        }),
      );
    });
  }

  static async to(url: string): Promise<Wiretap> {
    const { hostname, port } = new URL(url);
    const tap = new Wiretap(hostname, Number(port));
    tap.#server.listen(0, '127.0.0.1');
    await once(tap.#server, 'listening');
    return tap;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `mongodb://127.0.0.1:${port}/?directConnection=true`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

async function shadow() {
  return lab.manager({
    host: HOST,
    config: CONFIG,
    env: { BOOTSTRAX_MONGO_URL: wire.url, BOOTSTRAX_ROLE: '' },
    args: ['--shadow'],
  });
}

async function logged(): Promise<Record<string, unknown>[]> {
  const path = join(lab.stateDir(HOST), 'shadow/decisions.ndjson');
  const text = await readFile(path, 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

const line = (fields: Record<string, unknown>) =>
  until(`the line ${JSON.stringify(fields)}`, async () =>
    (await logged()).find((each) =>
      Object.entries(fields).every(([key, value]) => each[key] === value),
    ),
  );

const document = (number: number, fields: Record<string, unknown> = {}) => ({
  number,
  mode: 'tpc_bkg',
  detectors: ['tpc'],
  start: new Date(Date.now() - 60_000 - number),
  end: null,
  rate: { tpc: { avg: 50, max: 150 } },
  bootstrax: { state: null },
  daq_config: { processing_threads: { reader0: 2 } },
  data: [{ type: 'live', host: 'daq', location: lab.live }],
  ...fields,
});

const set = (number: number, bootstrax: Record<string, unknown>) =>
  lab.runsDatabase.collection('runs').updateOne({ number }, { $set: { bootstrax } });

const shows = (number: number, fields: Record<string, unknown>) =>
  lab.client
    .db(lab.daqDb)
    .collection('eb_monitor')
    .insertOne({
      ...{ host: OTHER, pid: 1, time: new Date(), state: 'busy' },
      ...{ run_id: String(number).padStart(6, '0'), cores: 18, max_messages: 25, timeout: 1400 },
      ...{ targets: ['event_info', 'online_peak_monitor', 'veto_proximity'] },
      post_processing: ['veto_intervals'],
      ...fields,
    });

it('logs what it would decide beside what others decide, and changes nothing at all', async () => {
  const looking = await shadow();
  await looking.event('shadow.ready');

  // As the reference takes a run, shows what it makes of it, and fails.
  await lab.insertRuns(document(1), document(2), document(3));
  expect(await line({ kind: 'waiting', run: 1 })).toMatchObject({
    ours: { what: 'taken', why: 'a new run', host: HOST },
  });
  const busy = { state: 'busy', host: OTHER, time: new Date(), started_processing: new Date() };
  await set(1, busy);
  expect(await line({ kind: 'claim', run: 1 })).toMatchObject({ agrees: true, host: OTHER });
  await shows(1, {});
  expect(await line({ kind: 'plan', run: 1 })).toMatchObject({
    agrees: true,
    theirs: { cores: 18, maxMessages: 25, timeoutSeconds: 1400 },
  });
  const failed = (seconds: number) => ({
    ...{ ...busy, state: 'failed', n_failures: 1, reason: `${OTHER}:\nit broke\n` },
    next_retry: new Date(busy.time.getTime() + seconds * 1000),
  });
  await set(1, failed(60));
  expect(await line({ kind: 'retry', run: 1 })).toMatchObject({
    agrees: true,
    theirs: { failures: 1, delaySeconds: 60 },
  });
  expect(await line({ kind: 'outcome', run: 1 })).toMatchObject({
    theirs: { state: 'failed', failures: 1, reason: 'it broke' },
  });

  // Another program decides otherwise in everything.
  await lab.runsDatabase
    .collection('runs')
    .updateOne({ number: 2 }, { $set: { tags: [{ name: 'hold-processing' }] } });
  await until('the held run', async () =>
    (await logged()).some(
      ({ kind, run, ours }) =>
        kind === 'waiting' && run === 2 && (ours as { what: string }).what === 'held',
    ),
  );
  await set(2, busy);
  expect(await line({ kind: 'claim', run: 2 })).toMatchObject({ agrees: false });
  await shows(2, { cores: 4, targets: ['raw_records'] });
  expect(await line({ kind: 'plan', run: 2 })).toMatchObject({
    agrees: false,
    changes: [
      { decision: 'targets', from: ['raw_records'] },
      { decision: 'cores', from: 4, to: 18 },
    ],
  });
  // Its holder falls silent, and then goes on after all.
  expect(await line({ kind: 'silent', run: 2 })).toMatchObject({ ours: { host: OTHER } });
  await set(2, { ...busy, time: new Date() });
  expect(await line({ kind: 'stale', run: 2 })).toMatchObject({ agrees: false });
  await set(2, failed(3600));
  expect(await line({ kind: 'retry', run: 2 })).toMatchObject({ agrees: false });
  await set(3, { ...busy, state: 'done' });
  expect(await line({ kind: 'outcome', run: 3 })).toMatchObject({ theirs: { state: 'done' } });

  const { code, stdout } = await lab.command(['shadow-report', '--json'], {
    host: HOST,
    config: CONFIG,
  });
  expect(code).toBe(0);
  const report = lastJson(stdout) as { runs: number; kinds: Record<string, unknown>[] };
  expect(report.runs).toBe(3);
  expect(report.kinds).toMatchObject([
    { kind: 'claim', agree: 2, differ: 1, examples: [{ run: 2 }] },
    { kind: 'plan', agree: 1, differ: 1, unknown: 1 },
    { kind: 'retry', agree: 1, differ: 1 },
    { kind: 'stale', agree: 0, differ: 1 },
  ]);
  const words = await lab.command(['shadow-report'], { host: HOST, config: CONFIG });
  expect(words.stdout).toMatch(/plan: cores differs once, as run 2: 4, here 18/);

  await looking.kill('SIGTERM');
  expect([...wire.commands.keys()].filter((name) => !READING.includes(name))).toEqual([]);
  expect(wire.commands.get('find')).toBeGreaterThan(0);
  const written = await readdir(lab.stateDir(HOST), { recursive: true });
  expect(written.sort()).toEqual(['shadow', 'shadow/decisions.ndjson']);
  expect(await readdir(lab.output)).toEqual([]);
});

it('takes no lock: the manager of the host runs on beside it', async () => {
  const config = CONFIG;
  const manager = await lab.manager({ host: HOST, config });
  await manager.event('manager.ready');
  const looking = await shadow();
  await looking.event('shadow.ready');
  const { stdout } = await lab.command(['shadow-report', '--json'], { host: HOST, config });
  expect(lastJson(stdout)).toHaveProperty('kinds');
  expect(manager.child.exitCode).toBeNull();
  // The manager still answers: the lock and its socket are its own.
  const second = await lab.command(['stop', '--children', '--json'], { host: HOST, config });
  expect(lastJson(second.stdout)).toMatchObject({ ok: true });
  await looking.kill('SIGTERM');
  expect(manager.child.exitCode).toBeNull();
});
