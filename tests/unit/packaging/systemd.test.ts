import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

import { defaultRules } from '../../../src/infra/config/rules.pure.ts';
import { HANDED_BACK } from '../../../src/manager/drain/handback.ts';

const FILE = 'packaging/systemd/bootstrax.service';
const text = readFileSync(FILE, 'utf8');
const lines = text.split('\n');
/** Stands for the version in use of an installed bundle. */
const INSTALLED = '/opt/bootstrax/current';

function setting(section: string, name: string): string[] {
  const values: string[] = [];
  let here = '';
  for (const line of lines) {
    here = /^\[(.+)\]$/.exec(line)?.[1] ?? here;
    if (here === section && line.startsWith(`${name}=`)) values.push(line.slice(name.length + 1));
  }
  return values;
}

const seconds = (name: string) => Number(setting('Service', name)[0]);

describe('the service file for systemd', () => {
  it.each([
    ['Unit', 'StartLimitIntervalSec', '0'],
    ['Service', 'Type', 'notify'],
    ['Service', 'NotifyAccess', 'all'],
    ['Service', 'KillMode', 'process'],
    ['Service', 'OOMPolicy', 'continue'],
    ['Service', 'Restart', 'always'],
    ['Service', 'WatchdogSec', '60'],
    ['Service', 'TimeoutStartSec', '60'],
    ['Service', 'RestartSec', '2'],
    ['Service', 'RestartPreventExitStatus', String(HANDED_BACK)],
    ['Service', 'SuccessExitStatus', String(HANDED_BACK)],
  ])('[%s] %s=%s, as crash-only needs it', (section, name, value) => {
    expect(setting(section, name)).toEqual([value]);
  });

  it('a manager that hangs is ended and back before its runs are stale', () => {
    const { busyLeaseSeconds } = defaultRules.limits;
    expect(seconds('WatchdogSec') + seconds('RestartSec')).toBeLessThan(busyLeaseSeconds);
  });

  it.each(['PrivateTmp', 'RuntimeDirectory', 'DynamicUser', 'RemoveIPC', 'ExecStop', 'MemoryMax'])(
    'has no %s=, which would harm a child that goes on',
    (name) => {
      expect(setting('Service', name)).toEqual([]);
    },
  );

  it('gives a reason for each line that is not plain', () => {
    const plain = /^(Description|Wants|ExecStart|WantedBy|Environment)=/;
    lines.forEach((line, index) => {
      if (!/^\w+=/.test(line) || plain.test(line)) return;
      const above = lines[index - 1] ?? '';
      expect(above.startsWith('#') || plain.test(above), `${line} has no comment`).toBe(true);
    });
  });

  it('is explained in docs/operation.md, setting by setting', () => {
    const operation = readFileSync('docs/operation.md', 'utf8');
    for (const name of ['Type', 'WatchdogSec', 'KillMode', 'OOMPolicy', 'StartLimitIntervalSec']) {
      expect(operation).toContain(`\`${name}=`);
    }
    expect(operation).toContain(FILE);
  });

  const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;
  it.skipIf(!hasSystemd)('systemd-analyze finds nothing wrong with it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'bootstrax-unit-'));
    try {
      const unit = join(folder, 'bootstrax.service');
      writeFileSync(unit, text.replaceAll(INSTALLED, resolve('.')));
      const result = spawnSync('systemd-analyze', ['verify', '--man=no', unit], {
        encoding: 'utf8',
      });
      const complaints = result.stderr
        .split('\n')
        .filter((line) => line.includes('bootstrax'))
        .join('\n');
      expect(complaints).toBe('');
      expect(result.status, result.stderr).toBe(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('names a program that is there', () => {
    const [command] = (setting('Service', 'ExecStart')[0] ?? '').split(' ');
    expect(command).toBe(`${INSTALLED}/bin/bootstrax`);
    const program = (command ?? '').replace(INSTALLED, resolve('.'));
    expect(execFileSync('test', ['-x', program]).toString()).toBe('');
  });
});
