import { randomBytes } from 'node:crypto';
import type { Document } from 'mongodb';

import type { PlanSummary } from '../../run/run.port.ts';
import { readRun } from '../../run/run.pure.ts';
import { seenOf } from '../../run/stored-runs.ts';
import { A, B, claimed, newRun } from './contract-runs.ts';
import { type ContractCheck, expect } from './promise.ts';

const CLIENTS = 4;
const CONTESTED = 20;
/** The clock goes on between two questions; a difference above this means another clock. */
const CLOCK_SLACK_MS = 2000;

const PLAN: PlanSummary = {
  ...{ targets: ['raw_records'], post_processing: [], dropped: [] },
  ...{ cores: 1, max_messages: 4, timeout: 60, rung: 0 },
};

/** What becomes of runs. */
export const RUN_CHECKS: readonly ContractCheck[] = [
  {
    name: 'clock',
    weight: 'needed',
    means: '$$NOW is the clock that all times of documents come from',
    look: async (context) => {
      const { scratch, store } = context;
      const before = (await store.serverTime()).getTime();
      const run = await newRun(context);
      await claimed(context, run);
      const { time } = fieldsOf(await scratch.run(run._id));
      const after = (await store.serverTime()).getTime();
      expect(time instanceof Date, `$$NOW wrote ${typeof time}, not a date`);
      const ms = (time as Date).getTime();
      expect(
        ms >= before - CLOCK_SLACK_MS && ms <= after + CLOCK_SLACK_MS,
        `$$NOW is ${((ms - before) / 1000).toFixed(1)} s off the server's own clock`,
      );
      return `$$NOW agrees with the server's clock, ${new Date(after).toISOString()}`;
    },
  },
  {
    name: 'new runs',
    weight: 'needed',
    means: 'a run is free if its state is null or missing in whatever way',
    look: async (context) => {
      const { store } = context;
      const forms: Document[] = [
        { bootstrax: { state: null } },
        { bootstrax: null },
        { bootstrax: {} },
        { bootstrax: undefined },
        { bootstrax: 'odd' },
      ];
      const wanted = [];
      for (const form of forms) wanted.push(seenOf(await newRun(context, form)).number);
      const taken = [
        await newRun(context, { bootstrax: { state: 'done' } }),
        await newRun(context, { tags: [{ name: 'hold-processing' }] }),
      ].map((run) => seenOf(run).number);
      const found = await store.runs.newCandidates({ limit: 1000 });
      const seen = found.map((run) => seenOf(run).number);
      for (const number of wanted) {
        expect(seen.includes(number), 'a run without a state is not found');
      }
      expect(!taken.some((number) => seen.includes(number)), 'a done or held run is found as new');
      const order = found.map((run) => readRun(run).start?.getTime() ?? -Infinity);
      expect(
        order.every((start, i) => i === 0 || start <= (order[i - 1] ?? Infinity)),
        'candidates are not sorted by their start',
      );
      return `${forms.length} forms of a free run are found, newest first`;
    },
  },
  {
    name: 'claim',
    weight: 'needed',
    means: 'of several hosts that claim a run at the same time exactly one gets it',
    look: async (context) => {
      const clients = Array.from({ length: CLIENTS }, () => context.scratch.store());
      for (let round = 0; round < CONTESTED; round++) {
        const run = await newRun(context);
        const seen = seenOf(run);
        const attempts = clients.map(() => randomBytes(12).toString('hex'));
        const answers = await Promise.all(
          clients.map((client, i) =>
            client.runs.claim(seen, { attempt: attempts[i] ?? '', host: `client-${i}.lab` }),
          ),
        );
        const winners = answers.filter((answer) => answer === 'claimed').length;
        expect(winners === 1, `${winners} of ${CLIENTS} clients got the same run`);
        const { attempt } = fieldsOf(await context.scratch.run(run._id));
        expect(
          attempt === attempts[answers.indexOf('claimed')],
          'the run is not held by the client that was told so',
        );
      }
      return `${CONTESTED} runs, ${CLIENTS} clients at a time, one winner each`;
    },
  },
  {
    name: 'claim as seen',
    weight: 'needed',
    means: 'a run that has changed since it was read cannot be claimed',
    look: async (context) => {
      const { store } = context;
      const run = await newRun(context);
      const seen = seenOf(run);
      await claimed(context, run);
      const late = { attempt: randomBytes(12).toString('hex'), host: B };
      expect((await store.runs.claim(seen, late)) === 'lost', 'a held run was claimed again');
      const held = seenOf((await store.runs.byId(run._id)) ?? run);
      expect(
        (await store.runs.claim(held, late)) === 'claimed',
        'a stale run cannot be taken over',
      );
      return 'compared by state, host, time and attempt';
    },
  },
  {
    name: 'merging into nothing',
    weight: 'needed',
    means: 'fields below bootstrax are written whether it is missing, null or of another type',
    look: async (context) => {
      for (const bootstrax of [undefined, null, 'odd', 5]) {
        const run = await newRun(context, { bootstrax });
        await claimed(context, run);
        const { state, host } = fieldsOf(await context.scratch.run(run._id));
        expect(
          state === 'considering' && host === A,
          `$mergeObjects into ${JSON.stringify(bootstrax) ?? 'nothing'} failed`,
        );
      }
      const kept = await newRun(context, {
        bootstrax: { state: 'failed', n_failures: 3, mine: 1 },
      });
      await claimed(context, kept);
      const fields = fieldsOf(await context.scratch.run(kept._id));
      expect(fields['n_failures'] === 3 && fields['mine'] === 1, 'other fields were lost');
      return '$mergeObjects keeps what is there, and makes what is not';
    },
  },
  {
    name: 'fence',
    weight: 'needed',
    means: 'who lost a run writes nothing to it any more',
    look: async (context) => {
      const { scratch, store } = context;
      const run = await newRun(context);
      const fence = await claimed(context, run);
      expect((await store.runs.markBusy(fence, PLAN)) === 'landed', 'the owner could not write');
      const before = JSON.stringify(await scratch.run(run._id));
      const progress = null;
      for (const other of [
        { ...fence, attempt: 'f'.repeat(24) },
        { ...fence, host: B },
      ]) {
        const answers = [
          await store.runs.heartbeat(other, 'busy', progress),
          await store.runs.unregisterData(other, ['/x']),
          (await store.runs.conclude(other, { kind: 'done' })).kind,
        ];
        expect(
          answers.every((answer) => answer === 'superseded'),
          'a write with another attempt or host landed',
        );
      }
      expect(JSON.stringify(await scratch.run(run._id)) === before, 'a refused write left traces');
      return 'writes with another attempt, host or state are refused';
    },
  },
  {
    name: 'conclusion',
    weight: 'needed',
    means: 'state, data entries and status change in one update, exactly once',
    look: async (context) => {
      const { scratch, store } = context;
      const run = await newRun(context, { data: null });
      const fence = await claimed(context, run);
      await store.runs.markBusy(fence, PLAN);
      const lineage = { a: ['$b', { 'c.d': 1 }] };
      const entry = { type: 'peaks', location: '/out/peaks', lineage };
      const done = {
        kind: 'done',
        register: [entry, { ...entry, location: '/out/more' }],
      } as const;
      const answer = await store.runs.conclude(fence, done);
      expect(answer.kind === 'landed', 'the owner could not conclude its run');
      expect(
        (await store.runs.conclude(fence, done)).kind === 'superseded',
        'a run was concluded twice',
      );
      const after = await scratch.run(run._id);
      const { state, attempt } = fieldsOf(after);
      expect(
        state === 'done' && attempt === undefined,
        'the state is not done, or an owner is left',
      );
      expect(after['status'] === 'eb_finished_pre', 'the status was not written along');
      const locations = entriesOf(after, 'data').map((each) => String(each['location']));
      expect(
        JSON.stringify(locations) === '["/out/peaks","/out/more"]',
        `data entries are ${JSON.stringify(locations)}`,
      );
      const stored = entriesOf(after, 'data')[0]?.['meta'] as Document | undefined;
      expect(
        JSON.stringify(stored?.['lineage']) === JSON.stringify(lineage),
        'a lineage with $ and dots was changed on its way',
      );
      return 'one update, also where data was null';
    },
  },
  {
    name: 'taking back',
    weight: 'needed',
    means: 'entries of removed folders move to deleted_data, trimmed, and no others',
    look: async (context) => {
      const { scratch, store } = context;
      const foreign = { type: 'peaks', host: B, location: '/out/peaks' };
      const own = { type: 'peaks', host: A, location: '/out/peaks', meta: {} };
      const run = await newRun(context, { data: [foreign, own] });
      const fence = await claimed(context, run);
      await store.runs.markBusy(fence, PLAN);
      const reason = `${A}:\nbecause\n`;
      await store.runs.conclude(fence, {
        ...{ kind: 'requeued', reason, delaySeconds: 0, unregister: ['/out/peaks'] },
      });
      const after = await scratch.run(run._id);
      const left = entriesOf(after, 'data');
      expect(left.length === 1 && left[0]?.['host'] === B, 'the wrong entries were taken back');
      const [moved] = entriesOf(after, 'deleted_data');
      expect(
        moved?.['by'] === A && moved['at'] instanceof Date && moved['location'] === undefined,
        'the entry in deleted_data is not as its readers expect',
      );
      return 'only those of the own host, with date and host';
    },
  },
  {
    name: 'retry',
    weight: 'needed',
    means: 'a run given back is found when it is due, by this program and by the reference',
    look: async (context) => {
      const { scratch, store } = context;
      const run = await newRun(context);
      const fence = await claimed(context, run);
      await store.runs.conclude(fence, { kind: 'requeued', reason: null, delaySeconds: 60 });
      const now = await store.serverTime();
      const later = new Date(now.getTime() + 120_000);
      const isDue = async (at: Date) => {
        const due = await store.runs.retryDue({ now: at, giveUpAfter: 10, limit: 1000 });
        return due.some(({ _id }) => _id.equals(run._id));
      };
      expect(!(await isDue(now)), 'a run is due before its time');
      expect(await isDue(later), 'a run that is due is not found');
      const [theirs] = await scratch.collection('runs').find({
        _id: run._id,
        'bootstrax.state': 'failed',
        'bootstrax.n_failures': { $lt: 10 },
        'bootstrax.next_retry': { $lt: later },
      });
      expect(theirs !== undefined, "the reference's own query does not find it");
      return 'dates are compared as dates';
    },
  },
];

function fieldsOf(document: Document): Document {
  return (document['bootstrax'] ?? {}) as Document;
}

function entriesOf(document: Document, field: 'data' | 'deleted_data'): Document[] {
  return (document[field] ?? []) as Document[];
}
