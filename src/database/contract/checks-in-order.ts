import { ONLINE_MONITOR_COLLECTION } from '../../attempt/online-monitor.store.ts';
import type { Holder } from '../../exclusion/holder.pure.ts';
import type { HostHeartbeat } from '../../host/host.port.ts';
import { monotonicMs, systemClock } from '../../infra/clock/clock.ts';
import { RATES_COLLECTION } from '../../plan/data-rate.store.ts';
import type { StoredOutcome } from '../../retry/attempt-history.port.ts';
import { A, claimed, runDocument } from './contract-runs.ts';
import { type ContractCheck, expect } from './promise.ts';
import { RUN_CHECKS } from './run-checks.ts';
import { idleAnswer, resumeCheck, streamCheck } from './stream-checks.ts';

const MANAGER: Holder = {
  ...{ instance: '0123456789abcdef01234567', host: A, state_dir: '/state', state_folder: 'a' },
  ...{ pid: 1, start_ticks: 1, boot_id: 'b', pid_namespace: 'p', machine: 'a' },
};
const OTHER_MANAGER: Holder = { ...MANAGER, instance: '76543210fedcba9876543210' };

const SIGN: Omit<HostHeartbeat, 'host'> = {
  ...{ pid: 1, state: 'idle', targets: ['raw_records'], max_cores: 1, max_messages: 4 },
  ...{ undying: true, production_mode: true, thinking: 'waiting for runs' },
  instance: MANAGER.instance,
  ...{ cpu_percent: 0, memory_percent: 0, swap_percent: 0, disk_used: 0 },
};

const OUTCOME: StoredOutcome = {
  ...{ outcome: 'failed', cause: 'strax_error', counted: true, reason: 'because', traceback: null },
  ...{ fingerprint: 'f', plugin: null, seconds: 1, peakMemoryBytes: 1, bytes: 1, chunks: 1 },
  ...{ dropped: [], products: [], versions: {} },
};

/** In an order in which each may rest on those before. */
export const CHECKS: readonly ContractCheck[] = [
  {
    name: 'write concern',
    weight: 'needed',
    means: 'what was acknowledged survives a crash: w majority, in the journal',
    look: async ({ scratch }) => {
      const begun = monotonicMs(systemClock);
      await scratch.insert('concern', { at: 'first' });
      return `acknowledged by the majority, with journal, in ${Math.round(monotonicMs(systemClock) - begun)} ms`;
    },
  },
  {
    name: 'indexes',
    weight: 'needed',
    means: 'each query is bounded by an index',
    look: async ({ store }) => {
      await store.ensureIndexes();
      const missing = await store.missingIndexes();
      expect(missing.length === 0, `${missing.length} indexes are missing after their creation`);
      return 'all can be created, and are there then';
    },
  },
  {
    name: 'bounded collection',
    weight: 'hindrance',
    means: 'heartbeats do not grow without bounds where the program makes their collection',
    look: async ({ store }) => {
      const { bound } = await store.heartbeatsBound();
      expect(
        bound === 'capped' || bound === 'expiring',
        'eb_monitor is neither capped nor expires',
      );
      await store.ebMonitor.write({ ...SIGN, host: A });
      await store.ebMonitor.write({ ...SIGN, host: A, state: 'busy' });
      const newest = await store.ebMonitor.newest(A);
      expect(newest?.['state'] === 'busy', 'the newest heartbeat is not the one written last');
      await store.ebMonitor.releaseHost({ host: A, targets: [], max_cores: 1, max_messages: 1 });
      const last = await store.ebMonitor.newest(A);
      expect(last?.['pid'] === 0, 'a host cannot be left without its process ids');
      return `${bound}; kept in order, and can be changed in place`;
    },
  },
  ...RUN_CHECKS,
  {
    name: 'history and hosts',
    weight: 'needed',
    means: 'documents are made or replaced as a whole, once, however often the write is repeated',
    look: async ({ scratch, store }) => {
      const record = {
        attempt: 'c'.repeat(24),
        run: 1,
        host: A,
        mode: null,
        failures: 0,
        plan: null,
      };
      await store.attempts.begin(record);
      const first = await store.attempts.get(record.attempt);
      await store.attempts.begin(record);
      await store.attempts.end(record.attempt, OUTCOME);
      const attempt = await store.attempts.get(record.attempt);
      expect(
        attempt !== null && attempt.started.getTime() === first?.started.getTime(),
        'the first start of an attempt did not stay',
      );
      expect(attempt?.result?.outcome === 'failed', 'the end of an attempt was not written');
      const failures = await store.attempts.failureGroups(new Date(0), 5);
      expect(failures.length === 1, 'failures cannot be grouped');
      const says = { host: A, state: 'busy', holder: MANAGER, extras: { old: 1 } } as const;
      expect((await store.hosts.take(says, null)) === 'taken', 'a host cannot be taken');
      const other = { ...says, holder: OTHER_MANAGER };
      expect((await store.hosts.take(other, null)) === 'lost', 'two managers have one host');
      expect((await store.hosts.write(other)) === 'displaced', 'two managers have one host');
      await store.hosts.write({ ...says, state: 'idle', extras: { fresh: 1 } });
      const hosts = (await store.hosts.all()).filter(({ host }) => host === A);
      expect(hosts.length === 1, 'a host has more than one document');
      expect(hosts[0]?.extras['old'] === undefined, 'a field outlived its meaning');
      await scratch.insert(RATES_COLLECTION, { number: 1, detector: 'tpc', rate: 20 });
      await scratch.insert(RATES_COLLECTION, { number: 1, detector: 'tpc', rate: 30 });
      const rate = await store.rates.ofRun(1);
      expect(rate?.total === 30, 'the data rate is not the maximum');
      return 'upserts with pipelines, $replaceWith, $group';
    },
  },
  {
    name: 'online monitor',
    weight: 'needed',
    means: 'what a failed attempt has shown of a run can be removed',
    look: async ({ scratch, store }) => {
      await scratch.insert(ONLINE_MONITOR_COLLECTION, { number: 1, data_type: 'x' });
      await scratch.insert(ONLINE_MONITOR_COLLECTION, { number: 2, data_type: 'x' });
      await store.onlineMonitor.remove(await store.onlineMonitor.some(1));
      expect((await store.onlineMonitor.some(1)).length === 0, 'documents stayed');
      expect((await store.onlineMonitor.some(2)).length === 1, 'another run lost its documents');
      return 'by run, and of no other run';
    },
  },
  {
    name: 'change stream',
    weight: 'hindrance',
    means: 'new runs are noticed at once; without it by polling',
    look: (context) => streamCheck(context, runDocument, (run) => claimed(context, run)),
  },
  {
    name: 'change stream goes on',
    weight: 'hindrance',
    means: 'nothing is missed over an interruption',
    look: (context) => resumeCheck(context, runDocument),
  },
  {
    name: 'time limits',
    weight: 'hindrance',
    means: 'the server answers an idle stream in the time it is given, so silence means loss',
    look: (context) => idleAnswer(context),
  },
];
