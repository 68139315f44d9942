import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

import { type Plan, type Progress, PROTOCOL_VERSION } from '../../../src/attempt/attempt.pure.ts';
import { newAttemptId } from '../../../src/attempt/files/attempt-directory.ts';

/** A folder that is removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bootstrax-test-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

export function planOf(attempt = newAttemptId()): Plan {
  return {
    version: PROTOCOL_VERSION,
    attempt,
    run: 51230,
    runId: '051230',
    host: 'eb0.example.org',
    context: 'bootstrax_worker.contexts.small:small',
    contextOptions: {},
    targets: ['raw_records'],
    postProcessing: [],
    processor: 'single_thread',
    cores: 1,
    maxMessages: 4,
    timeoutSeconds: 60,
    recordsCompressor: 'lz4',
    runConfig: {},
    liveDataDirectory: '/live/051230',
    outputDirectory: '/output',
    failures: 0,
    dropped: [],
    orphanLimitSeconds: 900,
    reasons: [],
  };
}

export function progressOf(change: Partial<Progress> = {}): Progress {
  return {
    t: 1,
    phase: 'processing',
    chunks: 1,
    coveredSeconds: 5,
    bytes: 1000,
    memoryBytes: 1e6,
    ...change,
  };
}
