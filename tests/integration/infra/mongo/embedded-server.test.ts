import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import {
  findEmbedded,
  startEmbedded,
  stopEmbedded,
} from '../../../../src/infra/mongo/embedded/embedded-server.ts';
import { PYTHON } from '../../database/server.ts';

let stateDir: string;

beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'bootstrax-embedded-'));
});

afterEach(async () => {
  await stopEmbedded(stateDir);
  await rm(stateDir, { recursive: true, force: true });
});

const start = () => startEmbedded({ python: PYTHON, stateDir, port: null });

async function withClient<T>(url: string, use: (client: MongoClient) => Promise<T>): Promise<T> {
  const client = new MongoClient(url);
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

describe('embedded server', () => {
  it('starts, is found, is not started twice, stops', async () => {
    expect(await findEmbedded(stateDir)).toBeNull();
    const server = await start();
    expect(new URL(server.url).hostname).toBe('127.0.0.1');
    expect(await findEmbedded(stateDir)).toEqual(server);
    expect(await start()).toEqual(server);
    expect(await stopEmbedded(stateDir)).toBe(true);
    expect(await findEmbedded(stateDir)).toBeNull();
    expect(await stopEmbedded(stateDir)).toBe(false);
  });

  it('is one server when two start it at the same time', async () => {
    const [a, b] = await Promise.all([start(), start()]);
    expect(a).toEqual(b);
    expect(await findEmbedded(stateDir)).toEqual(a);
  });

  it('is found by its command line when the record is lost', async () => {
    const server = await start();
    await rm(join(stateDir, 'db', 'db.json'));
    expect(await findEmbedded(stateDir)).toEqual(server);
    expect(await start()).toEqual(server);
  });

  it('keeps acknowledged writes and its port over a kill -9', async () => {
    const server = await start();
    await withClient(server.url, (client) =>
      client
        .db('x')
        .collection('y')
        .insertOne({ number: 1 }, { writeConcern: { w: 'majority', journal: true } }),
    );
    process.kill(server.identity.pid, 'SIGKILL');
    await expect.poll(() => findEmbedded(stateDir)).toBeNull();
    const again = await start();
    expect(again.url).toBe(server.url);
    const found = await withClient(again.url, (client) =>
      client.db('x').collection('y').countDocuments({ number: 1 }),
    );
    expect(found).toBe(1);
  });

  it('never signals a process that merely has the recorded pid', async () => {
    const stranger = spawn('sleep', ['600']);
    try {
      await start();
      const record = JSON.parse(await readFile(join(stateDir, 'db', 'db.json'), 'utf8')) as object;
      await stopEmbedded(stateDir);
      await writeFile(
        join(stateDir, 'db', 'db.json'),
        JSON.stringify({ ...record, pid: stranger.pid, startTicks: 1 }),
      );
      expect(await findEmbedded(stateDir)).toBeNull();
      expect(await stopEmbedded(stateDir)).toBe(false);
      expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
    } finally {
      stranger.kill('SIGKILL');
      await once(stranger, 'exit');
    }
  });

  it('says what is wrong with the interpreter', async () => {
    await expect(
      startEmbedded({ python: '/nowhere/python', stateDir, port: null }),
    ).rejects.toThrow('/nowhere/python');
    await expect(startEmbedded({ python: '/bin/false', stateDir, port: null })).rejects.toThrow(
      'ended at its start',
    );
  });

  it('refuses another port while it runs', async () => {
    const server = await start();
    const other = Number(new URL(server.url).port) === 65_000 ? 65_001 : 65_000;
    await expect(startEmbedded({ python: PYTHON, stateDir, port: other })).rejects.toThrow(
      server.url,
    );
  });
});
