import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { openStore } from '../../../src/database/open.ts';
import type { Credentials } from '../../../src/infra/mongo/connection.port.ts';
import { PYTHON, testStore } from './server.ts';

const run = promisify(execFile);

const PASSWORD = 'p@:/%s$ {a}#1';

let directory: string;
let url: string;
let server: ChildProcess;
let tls: string[];

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

async function launch(port: number, ...flags: string[]): Promise<void> {
  server = spawn(
    PYTHON,
    ['-m', 'secantus', '--host', '127.0.0.1', '--port', String(port)].concat(
      ['--storage-path', join(directory, 'data'), '--log-level', 'ERROR'],
      tls,
      flags,
    ),
    { cwd: directory, stdio: 'ignore' },
  );
  await vi.waitFor(
    async () => {
      const client = new MongoClient(url, { serverSelectionTimeoutMS: 300 });
      await client.connect().finally(() => client.close());
    },
    { timeout: 30_000, interval: 100 },
  );
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bootstrax-auth-'));
  const port = await freePort();
  const certificate = join(directory, 'server.pem');
  await run('openssl', [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1'],
    ...['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', `${certificate}.key`],
    ...['-out', certificate],
  ]);
  tls = ['--tls-cert-file', certificate, '--tls-key-file', `${certificate}.key`];
  url = `mongodb://127.0.0.1:${port}/?tls=true&tlsCAFile=${encodeURIComponent(certificate)}`;
  await launch(port);
  const client = new MongoClient(url);
  await client.db('admin').command({
    createUser: 'daq',
    pwd: PASSWORD,
    roles: [{ role: 'readWriteAnyDatabase', db: 'admin' }],
  });
  await client.close();
  server.kill('SIGTERM');
  await once(server, 'exit');
  await launch(port, '--auth');
});

afterAll(async () => {
  server.kill('SIGKILL');
  await rm(directory, { recursive: true, force: true });
});

async function ask(runsCredentials: Credentials | null): Promise<unknown> {
  const store = openStore(
    {
      runsUrl: url,
      daqUrl: null,
      runsDb: 'r',
      daqDb: 'd',
      runsCredentials,
      daqCredentials: null,
      manage: false,
      callTimeoutSeconds: 5,
    },
    () => undefined,
  );
  try {
    return await store.runs.unsettled();
  } catch (error) {
    return error;
  } finally {
    await store.close();
  }
}

describe('authentication over TLS', () => {
  it('takes a password with any characters', async () => {
    expect(await ask({ username: 'daq', password: PASSWORD })).toEqual([]);
  });

  it('says unauthorized for a wrong password, and never the password', async () => {
    const error = await ask({ username: 'daq', password: 'falsch' });
    expect(error).toMatchObject({ name: 'StoreError', kind: 'unauthorized' });
    expect(String(error)).not.toContain('falsch');
  });

  it('is done for the tests by a URL with user and password', async () => {
    const given = url.replace('://', `://daq:${encodeURIComponent(PASSWORD)}@`);
    const test = await testStore(given);
    try {
      expect(await test.store.missingIndexes()).toEqual([]);
      await test.runs.insertOne({ number: 1 });
      expect(await test.store.runs.unsettled()).toEqual([]);
    } finally {
      await test.close();
    }
  });

  it('says unauthorized without credentials', async () => {
    expect(await ask(null)).toMatchObject({ kind: 'unauthorized' });
  });
});
