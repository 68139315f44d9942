import { describe, expect, it, test } from 'vitest';

import { failuresTable } from '../../../../src/cli/look/failures.command.ts';
import { attemptsTable } from '../../../../src/cli/look/history.command.ts';
import { attemptView } from '../../../../src/dashboard/run-answer.ts';
import { exposition } from '../../../../src/infra/metrics/exposition.pure.ts';
import { failureGroups } from '../../../../src/readmodel/failures.pure.ts';
import { createOverviewStore } from '../../../../src/readmodel/overview.store.ts';
import type { StoredOutcome } from '../../../../src/retry/attempt-history.port.ts';
import { attemptOf, createAttemptStore } from '../../../../src/retry/attempt-history.store.ts';
import { HistoryTotals } from '../../../../src/retry/attempt-metrics.pure.ts';
import { CAUSE_CLASSES, causeText } from '../../../../src/retry/causes.pure.ts';
import { noted } from '../../database/noted.ts';
import { NOW } from '../../database/updates.ts';

/** What every place that tells of a failure says of this end. */
async function told(result: Partial<StoredOutcome>) {
  const stored = {
    ...{ _id: 'a'.repeat(24), run: 7, host: 'eb3', started: NOW, ended: NOW, failures: 0 },
    plan: null,
    result: {
      ...{ outcome: 'failed', counted: true, reason: 'it failed', fingerprint: 'f', dropped: [] },
      ...result,
    },
  };
  const { collection } = noted([stored]);
  const serverTime = () => Promise.resolve(NOW);
  const parts = {
    ...{ runs: collection, attempts: collection, monitor: collection, history: collection },
    serverTime,
  };
  const attempts = createAttemptStore(collection);
  const [ofPage] = failureGroups(
    await createOverviewStore(parts).failuresSince(NOW, 10),
    ['eb3'],
    NOW,
  );
  const totals = new HistoryTotals();
  for (const figures of await attempts.endedBetween(NOW, NOW)) totals.add(figures);
  const metrics = exposition(totals.families());
  return {
    page: ofPage?.cause ?? null,
    runPage: attemptView(attemptOf(stored), false).cause,
    command: failuresTable(await attempts.failureGroups(NOW, 10)),
    history: attemptsTable([attemptOf(stored)]),
    counted: /attempt_failures_total\{class="(\w+)"\} [1-9]/.exec(metrics)?.[1] ?? null,
  };
}

describe('why an attempt failed', () => {
  test.each(CAUSE_CLASSES)('is %s wherever it is told', async (name) => {
    const meaning = { class: name, plugin: 'peak_basics', whose: 'run' as const };
    const word = causeText(meaning);
    const all = await told({
      cause: 'finished',
      meaning: { ...meaning, sheddingHelps: false, lessMemory: false },
    });
    expect(all).toMatchObject({ page: word, runPage: word, counted: name });
    for (const text of [all.command, all.history]) {
      expect(text).toContain(word);
      expect(text).not.toContain('finished');
    }
  });

  test.each([
    ['finished', 'unknown'],
    ['strax_error', 'unknown'],
    ['child_died', 'unknown'],
    ['memory_limit', 'out of memory'],
    ['no_progress', 'hang'],
    ['host_problem', 'host'],
    ['vanished', 'vanished'],
    ['orphaned', 'manager'],
  ] as const)(
    'is a cause, and no way to end, where an earlier release has written only %s',
    async (cause, word) => {
      const all = await told({ cause });
      expect(all).toMatchObject({ page: word, runPage: word });
      expect(all.counted).toBe(word.replaceAll(' ', '_'));
      expect(all.command).toContain(word);
      expect(all.history).toContain(word);
    },
  );

  it('is not told of an attempt that did not fail', async () => {
    const all = await told({ outcome: 'done', cause: 'finished', counted: false });
    expect(all).toMatchObject({ runPage: null, counted: null });
    expect(all.history).not.toContain('finished');
  });
});
