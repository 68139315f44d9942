import { expect, test } from 'vitest';

import { nameOfProcess, processOfName } from '../../../../src/infra/linux/process-identity.pure.ts';

test('a name made from a process leads back to it, and to nobody else', () => {
  const process = { pid: 12, startTicks: 3456, bootId: '5f0c-11' };
  expect(nameOfProcess(process)).toBe('5f0c-11_12_3456');
  expect(processOfName('5f0c-11_12_3456')).toEqual(process);
});

test.each(['', '5f0c_0_1', '5f0c_12', '../5f0c_12_3', '5f0c_12_3.tmp', '5f0c_12_-3'])(
  '%j is the name of no process',
  (name) => {
    expect(processOfName(name)).toBeNull();
  },
);
