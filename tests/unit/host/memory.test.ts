import { describe, expect, it } from 'vitest';

import { groupMemory, machineMemory, memoryGroups } from '../../../src/host/memory.ts';

const files = (texts: Record<string, string>) => (file: string) => texts[file] ?? null;

describe('memory of the machine', () => {
  it('is read from /proc/meminfo', () => {
    const text = 'MemTotal:       16000 kB\nMemFree:  100 kB\nMemAvailable:    4000 kB\n';
    expect(machineMemory(text)).toEqual({ totalBytes: 16_384_000, availableBytes: 4_096_000 });
    expect(() => machineMemory('MemTotal: 1 kB\n')).toThrow('MemAvailable');
  });
});

describe('memory control groups', () => {
  it('of version 2 are all those above the process', () => {
    expect(memoryGroups('0::/system.slice/bootstrax.service\n')).toEqual([
      '/sys/fs/cgroup/system.slice/bootstrax.service',
      '/sys/fs/cgroup/system.slice',
      '/sys/fs/cgroup',
    ]);
  });

  it('of version 1 are those of the memory controller', () => {
    expect(memoryGroups('8:pids:/a\n4:cpu,memory:/b\n')).toEqual([
      '/sys/fs/cgroup/memory/b',
      '/sys/fs/cgroup/memory',
    ]);
  });

  it('have what their limit leaves, files that can be dropped included', () => {
    const memory = groupMemory(
      files({
        'memory.max': '1000\n',
        'memory.current': '900\n',
        'memory.stat': 'anon 600\nactive_file 100\ninactive_file 200\n',
      }),
    );
    expect(memory).toEqual({ totalBytes: 1000, availableBytes: 400 });
  });

  it('of version 1 count what is in the groups below', () => {
    const memory = groupMemory(
      files({
        'memory.limit_in_bytes': '1000\n',
        'memory.usage_in_bytes': '900\n',
        'memory.stat':
          'active_file 1\ninactive_file 2\ntotal_active_file 100\ntotal_inactive_file 200\n',
      }),
    );
    expect(memory).toEqual({ totalBytes: 1000, availableBytes: 400 });
  });

  it('without a limit or without files say nothing', () => {
    expect(groupMemory(files({ 'memory.max': 'max\n', 'memory.current': '5\n' }))).toBeNull();
    expect(groupMemory(files({}))).toBeNull();
  });
});
