import { describe, expect, it, test } from 'vitest';

import { addressList, plainAddress } from '../../../../src/dashboard/access/address-list.ts';
import { LoginLimit } from '../../../../src/dashboard/access/login-limit.ts';
import {
  hashPassword,
  isPassword,
  problemOfPassword,
} from '../../../../src/dashboard/access/passwords.ts';
import { ownerOfConnection } from '../../../../src/dashboard/access/peer-user.ts';
import { TrustedProxy } from '../../../../src/dashboard/access/proxy.ts';

describe('passwords', () => {
  it('are known again, however their accents are typed, and no others', async () => {
    const stored = await hashPassword('Schr\u00f6dingers Katze');
    expect(stored).not.toContain('Katze');
    expect(await isPassword('Schro\u0308dingers Katze', stored)).toBe(true);
    expect(await isPassword('Schrodingers Katze', stored)).toBe(false);
    expect(await hashPassword('Schr\u00f6dingers Katze')).not.toBe(stored);
  });

  test.each([null, '', 'scrypt$1', 'plain text', 'scrypt$16$8$1$$'])(
    'nothing fits what is no hash: %j',
    async (stored) => {
      expect(await isPassword('', stored)).toBe(false);
    },
  );

  test.each([
    ['nine char', 'shorter'],
    ['x'.repeat(257), 'longer'],
    ['with a \u0007 bell', 'control'],
    ['ten letters', null],
  ])('%j: %s', (password, problem) => {
    if (problem === null) expect(problemOfPassword(password)).toBeNull();
    else expect(problemOfPassword(password)).toContain(problem);
  });
});

describe('the limit of logins', () => {
  const fail = (limit: LoginLimit, address: string, name: string, times: number) => {
    for (let i = 0; i < times; i++) limit.begun(address, name, 0);
  };

  it('holds for an address, whatever the names, until the time is over', () => {
    const limit = new LoginLimit();
    for (let i = 0; i < 9; i++) limit.begun('a', `name${i}`, 100);
    expect(limit.waitSeconds('a', 'anna', 100)).toBe(0);
    limit.begun('a', 'anna', 100);
    expect(limit.waitSeconds('a', 'bert', 400)).toBe(600);
    expect(limit.waitSeconds('b', 'bert', 400)).toBe(0);
    expect(limit.waitSeconds('a', 'bert', 1000)).toBe(0);
  });

  it('holds for a name, from wherever it is tried', () => {
    const limit = new LoginLimit();
    for (let i = 0; i < 30; i++) limit.begun(`address${i}`, 'anna', 0);
    expect(limit.waitSeconds('elsewhere', 'anna', 1)).toBe(899);
    expect(limit.waitSeconds('elsewhere', 'bert', 1)).toBe(0);
  });

  it('a login that went well counts for nothing, and takes back no failure', () => {
    const limit = new LoginLimit();
    fail(limit, 'a', 'victim', 5);
    for (let i = 0; i < 20; i++) {
      limit.begun('a', 'own', 0);
      limit.succeeded('a', 'own');
    }
    fail(limit, 'a', 'victim', 4);
    expect(limit.waitSeconds('a', 'x', 0)).toBe(0);
    fail(limit, 'a', 'victim', 1);
    expect(limit.waitSeconds('a', 'x', 0)).toBe(900);
  });

  it('remembers no more than so much', () => {
    const limit = new LoginLimit();
    fail(limit, 'first', 'first', 10);
    for (let i = 0; i < 6000; i++) limit.begun(`a${i}`, `n${i}`, 0);
    expect(limit.waitSeconds('first', 'x', 0)).toBe(0);
    expect(limit.waitSeconds('a5999', 'x', 0)).toBe(0);
  });
});

describe('a proxy', () => {
  const settings = {
    ...{ addresses: ['10.0.0.1', '192.168.4.0/24', 'fd00::/8'] },
    ...{ userHeader: 'x-remote-user', groupsHeader: 'x-remote-groups' },
    ...{ operators: ['otto'], operatorGroups: ['daq'], viewers: [], viewerGroups: ['staff'] },
  };
  const vouched = (headers: Record<string, string>, more = {}) =>
    new TrustedProxy({ ...settings, ...more }).vouchedBy((name) => headers[name]);

  test.each([
    ['10.0.0.1', true],
    ['10.0.0.2', false],
    ['192.168.4.77', true],
    ['192.168.5.1', false],
    ['fd12::9', true],
    ['::1', false],
    ['', false],
    ['10.0.0.1, 8.8.8.8', false],
  ])('is believed at %j: %s', (address, believed) => {
    expect(new TrustedProxy(settings).isTrusted(address)).toBe(believed);
  });

  test.each([
    [{ 'x-remote-user': 'otto' }, 'operator'],
    [{ 'x-remote-user': 'dora', 'x-remote-groups': 'staff,daq' }, 'operator'],
    [{ 'x-remote-user': 'dora', 'x-remote-groups': ' staff ; guests' }, 'viewer'],
    [{ 'x-remote-user': 'dora', 'x-remote-groups': 'staffs' }, null],
    [{ 'x-remote-user': 'Otto' }, null],
  ])('%j: %s', (headers, role) => {
    expect(vouched(headers)?.role).toBe(role);
  });

  test.each([{}, { 'x-remote-user': '' }, { 'x-remote-user': 'otto, otto' }, { 'x-user': 'otto' }])(
    'names nobody by %j',
    (headers) => {
      expect(vouched(headers)).toBeNull();
    },
  );

  it('may stand for everybody', () => {
    expect(vouched({ 'x-remote-user': 'dora' }, { viewers: ['*'] })?.role).toBe('viewer');
  });

  it('knows who asked it by the last address alone', () => {
    const client = (value?: string) => new TrustedProxy(settings).clientOf(() => value);
    expect(client('1.1.1.1, 2.2.2.2')).toBe('2.2.2.2');
    expect(client('1.1.1.1, unknown')).toBeNull();
    expect(client()).toBeNull();
  });
});

it('addresses are compared without their dress', () => {
  expect(plainAddress('::ffff:10.0.0.1')).toBe('10.0.0.1');
  expect(plainAddress('::1')).toBe('::1');
  expect(addressList([])('10.0.0.1')).toBe(false);
});

describe('who holds the other end of a connection', () => {
  const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:2184 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 0100007F:2184 0100007F:C350 01 00000000:00000000 00:00000000 00000000   990        0 2 1 0 100 0 0 10 0
   2: 0100007F:C350 0100007F:2184 01 00000000:00000000 00:00000000 00000000  1007        0 3 1 0 100 0 0 10 0
   3: 0A00007A:C351 0100007F:2184 01 00000000:00000000 00:00000000 00000000  1008        0 4 1 0 100 0 0 10 0`;

  it('is told by its ports, and only within this machine', () => {
    expect(ownerOfConnection(table, 0xc350, 0x2184)).toBe(1007);
    expect(ownerOfConnection(table, 0xc351, 0x2184)).toBeNull();
    expect(ownerOfConnection(table, 1, 2)).toBeNull();
  });

  it('also where it is IPv6', () => {
    const line = (address: string) =>
      `   0: ${address}:C350 ${address}:2184 01 0:0 00:0 0  1009        0 5`;
    expect(ownerOfConnection(line('00000000000000000000000001000000'), 0xc350, 0x2184)).toBe(1009);
    expect(ownerOfConnection(line('0000000000000000FFFF00000100007F'), 0xc350, 0x2184)).toBe(1009);
    expect(ownerOfConnection(line('0000000000000000FFFF00000100000A'), 0xc350, 0x2184)).toBeNull();
  });
});
