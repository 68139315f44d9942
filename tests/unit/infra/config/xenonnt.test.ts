import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';

import { describeError } from '../../../../src/infra/config/configuration-error.ts';
import { resolveSettings } from '../../../../src/infra/config/resolve.ts';
import { defaultRules } from '../../../../src/infra/config/rules.pure.ts';

const path = 'config/xenonnt.toml';
const text = await readFile(path, 'utf8');

function settings(hostName: string) {
  const resolution = resolveSettings({
    file: { path, text, privateToOwner: false },
    env: {},
    flags: {},
    facts: { hostName, packageDirectory: '/package', stateHome: '/state' },
    workingDirectory: '/',
    home: '/home/daq',
  });
  if (resolution.kind === 'errors') throw new Error(resolution.errors.map(describeError).join());
  return resolution.settings;
}

describe('the configuration of XENONnT', () => {
  it('is the rules of the reference, which are the defaults but for the way targets are shed', () => {
    const { rules } = settings('eb3.xenon.local');
    expect(rules).toEqual({
      ...defaultRules,
      targets: { ...defaultRules.targets, shedding: 'reference' },
    });
  });

  // Reference, sections 3.3 and 6.1.
  it.each([
    ['eb3.xenon.local', 'primary', 'new'],
    ['eb4.xenon.local', 'primary', 'new'],
    ['eb5.xenon.local', 'primary', 'new'],
    ['eb2.xenon.local', 'never', 'old'],
    ['eb0.xenon.local', 'backup', 'old'],
    ['eb1.xenon.local', 'backup', 'old'],
    ['eb6.xenon.local', 'backup', 'new'],
    ['daq.lab.example', 'backup', 'new'],
  ])('makes %s a %s host with the resources %s', (hostName, role, table) => {
    const { host } = settings(hostName);
    expect([host.role, host.resourceTable]).toEqual([role, table]);
  });

  it('says of each value where it comes from', () => {
    const lines = text.split('\n');
    const isSaid = (from: number): boolean => {
      // In the line, or above its block.
      for (let i = from; i >= 0; i--) {
        const line = lines[i] ?? '';
        if (/# .*\d\.\d/.test(line)) return true;
        if (line === '' && !/^\[\[(targets|resources|host)\./.test(lines[i + 1] ?? ''))
          return false;
      }
      return false;
    };
    const silent = lines.filter((line, i) => /^[a-z_]+ = /.test(line) && !isSaid(i));
    expect(silent).toEqual([]);
  });
});
