import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { bindingOf, type DatabaseIdentity } from '../../../src/exclusion/binding.pure.ts';
import { earlierManagerOf, nameTaken } from '../../../src/exclusion/earlier-manager.pure.ts';
import { claimOfFolder, type FolderHolder } from '../../../src/exclusion/holder.pure.ts';
import { hostNameFor } from '../../../src/exclusion/host-name.pure.ts';
import { twoManagers, writerOf } from '../../../src/exclusion/two-managers.pure.ts';
import { holderOf } from '../../support/holder.ts';

const NOW = new Date('2026-03-01T12:00:00Z');
const ago = (seconds: number) => new Date(NOW.getTime() - seconds * 1000);

describe('the name of a host, where its state folder remembers another', () => {
  const machine = { id: 'a'.repeat(32), name: 'eb0' };
  const owner = { host: 'eb0.lab', machine };
  it.each([
    ['nobody owns the folder', null, 'eb0', false, machine, 'as_given'],
    ['it is the same', owner, 'eb0.lab', true, machine, 'as_given'],
    ['the resolver alone says another', owner, 'eb0', false, machine, 'as_stored'],
    ['it is set explicitly', owner, 'eb0', true, machine, 'refused'],
    [
      'the machine has another kernel name',
      owner,
      'x',
      false,
      { ...machine, name: 'x' },
      'as_stored',
    ],
    [
      'it is another machine',
      owner,
      'eb1.lab',
      false,
      { id: 'b'.repeat(32), name: 'eb1' },
      'refused',
    ],
    [
      'no machine id, same kernel name',
      owner,
      'eb0',
      false,
      { id: null, name: 'eb0' },
      'as_stored',
    ],
    ['no machine id, another kernel name', owner, 'x', false, { id: null, name: 'x' }, 'refused'],
  ] as const)('%s: %s', (...[, stored, name, isExplicit, here, kind]) => {
    const decision = hostNameFor(stored, { name, isExplicit, machine: here, stateDir: '/s' });
    expect(decision.kind).toBe(kind);
    if (decision.kind === 'refused') {
      expect(decision.reason).toContain('/s belongs to host eb0.lab');
      expect(decision.reason).toContain(`bootstrax adopt --host ${name}`);
    }
  });
});

describe('the manager that holds a state folder', () => {
  const self: FolderHolder = {
    ...holderOf('eb0'),
    ...{ runs_database: 'xenonnt', servers_hash: 'one' },
  };
  it.each([
    [{}, 'replace'],
    [{ servers_hash: 'two' }, 'replace_if_same_database'],
    [{ pid_namespace: 'pid:[2]' }, 'replace'],
    [{ boot_id: 'elsewhere' }, 'refused'],
    [{ host: 'eb1' }, 'refused'],
    [{ runs_database: 'test' }, 'refused'],
  ] as const)('%j: %s', (earlier, kind) => {
    expect(claimOfFolder({ ...self, ...earlier }, self).kind).toBe(kind);
  });
});

describe('the manager that a host’s document names', () => {
  const self = holderOf('eb0', { instance: 'f'.repeat(24), state_folder: 'mine' });
  const other = holderOf('eb0', { state_folder: 'other' });
  const named = (holder: typeof other | null, seconds = 10, pid: number | null = 7) => ({
    ...{ holder, pid, time: ago(seconds) },
  });
  it.each([
    ['there is none', null, 'none'],
    ['itself', named(self), 'none'],
    ['one of its own folder, whose lock it has', named({ ...other, state_folder: 'mine' }), 'none'],
    ['one that has written nothing for minutes', named(other, 181), 'none'],
    ['one that handed the host back', named(null, 10, null), 'none'],
    ['one of an earlier release', named(null), 'unnamed'],
  ] as const)('%s: %s', (_, document, kind) => {
    expect(earlierManagerOf(document, self, NOW).kind).toBe(kind);
  });

  it.each([
    ['same_processes', {}, 'this user may not kill it'],
    ['same_machine', { pid_namespace: 'pid:[2]' }, 'another pid name space'],
    ['other_machine', { boot_id: 'elsewhere' }, 'another machine holds the name eb0'],
  ] as const)('%s', (proximity, where, says) => {
    const earlier = earlierManagerOf(named({ ...other, ...where }), self, NOW);
    expect(earlier).toMatchObject({ kind: 'named', proximity });
    if (earlier.kind !== 'none') expect(nameTaken('eb0', earlier)).toContain(says);
  });
});

describe('a state folder and a database', () => {
  const stored: DatabaseIdentity = { mark: 'm', collection: 'c', servers: ['a:1'], name: 'runs' };
  const none = { count: 0, known: 0 };
  const open = { count: 2, known: 0 };
  it.each([
    ['the folder is new', null, stored, open, 'bind'],
    ['the same mark, spelled otherwise', stored, { ...stored, servers: ['b:1'] }, open, 'same'],
    ['a copy of it, with attempts', stored, { ...stored, collection: 'd' }, open, 'refused'],
    ['a copy of it, nothing open', stored, { ...stored, collection: 'd' }, none, 'bind'],
    ['the server does not tell', stored, { ...stored, collection: null }, open, 'same'],
    ['another mark, with attempts', stored, { ...stored, mark: 'n' }, open, 'refused'],
    ['another mark, nothing open', stored, { ...stored, mark: 'n' }, none, 'bind'],
    [
      'the mark is gone, the attempts are there',
      stored,
      { ...stored, mark: null },
      { count: 2, known: 1 },
      'mark_anew',
    ],
    [
      'the mark is gone, and so are the attempts',
      stored,
      { ...stored, mark: null },
      open,
      'refused',
    ],
    ['the mark is gone, nothing open', stored, { ...stored, mark: null }, none, 'mark_anew'],
    ['never marked, spelled alike', { ...stored, mark: null }, stored, open, 'same'],
    [
      'never marked, spelled otherwise',
      { ...stored, mark: null },
      { ...stored, servers: ['b:1'] },
      open,
      'refused',
    ],
  ] as const)('%s: %s', (...[, before, seen, attempts, kind]) => {
    expect(bindingOf(before, seen, attempts, '/s').kind).toBe(kind);
  });
});

describe('two managers of one name', () => {
  const signs = (writers: readonly (string | null)[]) =>
    writers.map((writer, i) => ({ writer, atMs: 1000 * i }));
  it('are seen once one has written before and after the other', () => {
    expect(twoManagers(signs(['a', 'b', 'a']))).toEqual(['a', 'b']);
    expect(twoManagers(signs(['a', 'a', 'b', 'b', 'c']))).toBeNull();
    expect(twoManagers(signs(['a', null, 'a', null]))).toBeNull();
    expect(twoManagers([])).toBeNull();
  });

  it('are never seen where each took over from the one before, in whatever order signs are read', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(4), { maxLength: 30 }), (steps) => {
        let manager = 0;
        const written = signs(steps.map((step) => `m${(manager += step === 4 ? 1 : 0)}`));
        expect(twoManagers(written)).toBeNull();
        expect(twoManagers([...written].reverse())).toBeNull();
      }),
    );
  });

  it('are of this program: the reference writes beside them', () => {
    expect(writerOf({ pid: 5, state: 'idle' })).toBeNull();
    expect(writerOf({ pid: 5, thinking: 'waiting' })).toBe('pid 5, release 0.1.0');
    expect(writerOf({ pid: 5, thinking: 'x', instance: 'i' })).toBe('pid 5, instance i');
  });
});
