import { describe, expect, it } from 'vitest';

import {
  type StagingProblem,
  stagingSays,
  stagingText,
  stagingTodo,
} from '../../../../src/attempt/files/staging.pure.ts';

const FOLDERS = { staging: '/mnt/data.staging', output: '/mnt/data' };
const PROBLEMS: StagingProblem[] = [
  { kind: 'inside' },
  { kind: 'apart', isMountPoint: true },
  { kind: 'apart', isMountPoint: false },
  { kind: 'refused', reason: 'EACCES: permission denied' },
];

describe('why attempts cannot write where they are told to', () => {
  it.each(PROBLEMS)('names both folders and the setting that mends it: %j', (problem) => {
    const text = stagingText(FOLDERS, problem);
    expect(text).toContain('/mnt/data.staging');
    expect(text).toContain('the output folder /mnt/data');
    expect(text).toContain('BOOTSTRAX_STAGING');
    expect(text).toContain(stagingSays(FOLDERS, problem));
  });

  it.each(PROBLEMS.slice(1, 3))('names both ways out of different file systems: %j', (problem) => {
    const todo = stagingTodo(FOLDERS, problem);
    expect(todo).toContain('set paths.staging');
    expect(todo).toContain('/mnt/data/processed');
  });

  it('says that the output folder is a mount point only where it is one', () => {
    expect(stagingSays(FOLDERS, { kind: 'apart', isMountPoint: true })).toContain('mount point');
    expect(stagingSays(FOLDERS, { kind: 'apart', isMountPoint: false })).not.toContain('mount');
  });

  it('passes on what the disk has said', () => {
    const problem = { kind: 'refused', reason: 'EACCES: permission denied' } as const;
    expect(stagingText(FOLDERS, problem)).toContain('EACCES: permission denied');
  });
});
