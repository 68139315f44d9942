import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

import { checkWritableFolder, diskSpace } from '../../../src/infra/disk/disk.ts';
import { fullyQualifiedHostName } from '../../../src/infra/linux/host-name.ts';
import {
  bootId,
  identityOf,
  isAlive,
  selfIdentity,
} from '../../../src/infra/linux/process-identity.ts';
import { lacking } from '../../support/lacking.ts';
import { noMounts } from '../../support/name-spaces.ts';
import { bundled, saidByNobody, temporaryFolder } from '../infra/linux/support.ts';

function python(program: string, ...args: string[]): string {
  return execFileSync('python3', ['-c', program, ...args])
    .toString()
    .trim();
}

const unshared = test.skipIf(lacking(noMounts()));

test('the host name is the one of Python', async () => {
  expect(await fullyQualifiedHostName()).toBe(python('import socket; print(socket.getfqdn())'));
});

unshared.each([
  ['alias with a dot', '10.1.2.3 eb0 eb0.example.org\n', 'eb0.example.org'],
  ['first of two', '10.1.2.3 eb0.example.org eb0 eb0.example.com\n', 'eb0.example.org'],
  ['no dot anywhere', '10.1.2.3 machine eb0\n', 'machine'],
  ['unknown', '127.0.0.1 localhost\n', 'eb0'],
])('the host name is the one of Python: %s', async (_what, hosts, expected) => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'hosts'), hosts);
  writeFileSync(join(folder, 'nsswitch.conf'), 'hosts: files\n');
  const ours = await bundled(
    folder,
    `import { fullyQualifiedHostName } from './src/infra/linux/host-name.ts';
     console.log(await fullyQualifiedHostName());`,
  );
  const said = execFileSync('unshare', [
    '-rmu',
    'sh',
    '-ec',
    `hostname eb0
     mount --bind ${folder}/hosts /etc/hosts
     mount --bind ${folder}/nsswitch.conf /etc/nsswitch.conf
     ${process.execPath} ${ours}
     python3 -c 'import socket; print(socket.getfqdn())'`,
  ])
    .toString()
    .trim()
    .split('\n');
  expect(said).toEqual([expected, expected]);
});

test('disk space is counted as Python counts', async () => {
  const folder = temporaryFolder();
  const space = await diskSpace(folder);
  const [total, used, free] = python(
    'import shutil, sys; print(*shutil.disk_usage(sys.argv[1]))',
    folder,
  )
    .split(' ')
    .map(Number);
  expect(space.totalBytes).toBe(total);
  // Others write to this disk meanwhile.
  expect(space.usedPercent).toBeCloseTo((100 * used!) / total!, 0);
  expect(Math.abs(space.freeBytes - free!)).toBeLessThan(0.01 * total!);
});

test('a folder is found writable without anything appearing in it', async () => {
  const folder = temporaryFolder();
  const seen: (string | null)[] = [];
  // Bytes written to the nameless file are told as a change; a name that comes or goes is not.
  const watcher = watch(folder, (event, name) => event === 'rename' && seen.push(name));
  onTestFinished(() => {
    watcher.close();
  });
  expect(await checkWritableFolder(folder)).toEqual({ kind: 'writable' });
  writeFileSync(join(folder, 'last'), '');
  await expect.poll(() => seen).toContain('last');
  expect(seen).toEqual(['last']);
  expect(readdirSync(folder)).toEqual(['last']);
});

test('what cannot be written says why', async () => {
  const folder = temporaryFolder();
  expect(await checkWritableFolder(join(folder, 'none'))).toEqual({
    kind: 'not_writable',
    reason: `${folder}/none does not exist`,
  });
  writeFileSync(join(folder, 'file'), '');
  expect(await checkWritableFolder(join(folder, 'file'))).toEqual({
    kind: 'not_writable',
    reason: `${folder}/file is not a folder`,
  });
});

test('a folder of somebody else is not writable', async () => {
  const above = temporaryFolder();
  const folder = join(above, 'locked');
  mkdirSync(folder);
  chmodSync(folder, 0o555);
  const said = await saidByNobody(
    `import { checkWritableFolder } from './src/infra/disk/disk.ts';
     console.log(JSON.stringify(await checkWritableFolder(${JSON.stringify(folder)})));`,
    above,
  );
  expect(JSON.parse(said)).toMatchObject({
    kind: 'not_writable',
    reason: expect.stringContaining('may not be written by this user') as string,
  });
});

unshared.each([
  [
    'mounted read-only',
    'not_writable',
    'mount -t tmpfs -o ro none /mnt',
    'on a file system mounted read-only',
  ],
  [
    'full',
    'full',
    'mount -t tmpfs -o size=4k none /mnt; head -c 4096 /dev/zero > /mnt/filling',
    'on a full file system',
  ],
])('a file system that is %s is not writable', async (_what, kind, prepare, reason) => {
  const ours = await bundled(
    temporaryFolder(),
    `import { checkWritableFolder } from './src/infra/disk/disk.ts';
     console.log(JSON.stringify(await checkWritableFolder('/mnt')));`,
  );
  const said = execFileSync('unshare', [
    '-rm',
    'sh',
    '-ec',
    `${prepare}; ${process.execPath} ${ours}`,
  ]);
  expect(JSON.parse(said.toString())).toEqual({
    kind,
    reason: `/mnt is ${reason}`,
  });
});

test('this process is itself, and only with its own start time and boot', () => {
  const self = selfIdentity();
  expect(self).toEqual(identityOf(process.pid));
  expect(isAlive(self)).toBe(true);
  expect(isAlive({ ...self, startTicks: self.startTicks + 1 })).toBe(false);
  expect(isAlive({ ...self, bootId: 'another' })).toBe(false);
  expect(bootId()).toMatch(/^[0-9a-f-]{36}$/);
});
