import { expect, test } from 'vitest';

import { machineKey } from '../../../src/exclusion/manager-lock.ts';
import { inodeOfListener } from '../../../src/infra/linux/socket-owner.ts';

const BASE = {
  host: 'eb3.xenon.local',
  runsUrl: 'mongodb://a.example:27017,b.example:27018/?replicaSet=rs0',
  runsDatabase: 'xenonnt',
  stateDir: '/var/lib/bootstrax',
};
const nameWith = (change: Partial<typeof BASE>) => machineKey({ ...BASE, ...change }).socketName;

test.each([
  ['credentials', { runsUrl: 'mongodb://daq:se%40cret@a.example:27017,b.example:27018/' }],
  ['options', { runsUrl: 'mongodb://a.example:27017,b.example:27018/admin?tls=true' }],
  ['order and default port', { runsUrl: 'mongodb://B.example:27018,a.example' }],
  ['the state directory', { stateDir: '/elsewhere' }],
])('%s make no other key', (_what, change) => {
  expect(nameWith(change)).toBe(nameWith({}));
});

test.each([
  ['host', { host: 'eb4.xenon.local' }],
  ['database', { runsDatabase: 'testing' }],
  ['server', { runsUrl: 'mongodb://c.example/' }],
  ['port', { runsUrl: 'mongodb://a.example:27017,b.example:27019/' }],
])('another %s is another key', (_what, change) => {
  expect(nameWith(change)).not.toBe(nameWith({}));
});

test('the name of the socket has one length and no characters that /proc shows otherwise', () => {
  for (const host of ['a', 'eb3.xenon.local', 'x'.repeat(300), 'späß host']) {
    expect(nameWith({ host })).toMatch(/^[\w./-]{107}$/);
  }
  expect(nameWith({ host: `${'x'.repeat(300)}a` })).not.toBe(nameWith({ host: 'x'.repeat(300) }));
});

test('neither credentials nor hosts of the database appear in the key', () => {
  const key = JSON.stringify(machineKey({ ...BASE, runsUrl: 'mongodb://daq:hunter2@a.example/' }));
  expect(key).not.toMatch(/hunter2|a\.example/);
});

test('of the sockets of that name the listening one is found', () => {
  const text = `Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000003 00000000 00000000 0001 03 20001 @bootstrax/a/1..
0000000000000000: 00000002 00000000 00010000 0001 01 20002 @bootstrax/a/1..
0000000000000000: 00000002 00000000 00010000 0001 01 20003 @bootstrax/a/12.
0000000000000000: 00000003 00000000 00000000 0001 03 20004
`;
  expect(inodeOfListener(text, 'bootstrax/a/1..')).toBe('20002');
  expect(inodeOfListener(text, 'bootstrax/a/1')).toBeNull();
});
