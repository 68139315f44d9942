import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';

import { type Lab, type StoredRun, until } from '../support/lab.ts';
import { killProcessesOf } from '../support/processes.ts';
import { type Changes, type Configuration, smallMachine } from '../support/small-machine.ts';
import { act } from './clicks.ts';

/**
 * A small fleet with something of everything, for pictures. All runs are taken by the simulator and
 * processed by strax; those that are done are then moved back in time, as if they had been taken
 * one after the other and processed meanwhile, for nobody wants to wait for a whole night.
 */
export interface Night {
  hosts: readonly string[];
  /** The host whose files the dashboard sees. */
  seen: string;
  busy: number;
  givenUp: number;
}

const SEEN = 'eb3.xenon.local';
const OTHER = 'eb4.xenon.local';
const FAULTY = 'eb5.xenon.local';
const DYING = 'eb6.xenon.local';
const MODES = ['tpc_bkg', 'tpc_kr83m', 'tpc_radon'];
const RUNS_PER_MODE = 6;
const NIGHT_HOURS = 11;

const BASE: Changes = {
  targets: {
    default: ['event_info', 'peak_basics', 'online_peak_monitor', 'events_mv'],
    postProcessing: ['raw_records'],
  },
};
const CALM = smallMachine(BASE, { retry: { baseSeconds: 1200 } });
const FAILING = smallMachine(BASE, { worker: { contextOptions: { fail_in: 'event_info' } } });
const SHORT = ['--seconds', '300', '--chunk-seconds', '60', '--speed', '0', '--rate', '1'];

/** The dashboard runs on one of the hosts. */
export const DASHBOARD_ENV = (lab: Lab): Record<string, string> => ({
  ...{ BOOTSTRAX_HOST: SEEN, BOOTSTRAX_STATE_DIR: `${lab.stateDir(SEEN)}` },
  BOOTSTRAX_LIMITS_PRESUMED_DEAD_SECONDS: '25',
});

/** Lets it all happen; the page is used for what people do. */
export async function livelyNight(lab: Lab, page: Page, url: string): Promise<Night> {
  const begin = (host: string, config: Configuration) => lab.manager({ host, config });
  const take = (runs: number, ...args: string[]) =>
    lab.takeRuns([...SHORT, '--runs', String(runs), '--gap-seconds', '0', ...args]);
  const open = (path: string) => page.goto(new URL(path, url).href);
  const button = (name: string) => page.getByRole('button', { name, exact: true }).first();

  const faulty = await begin(FAULTY, FAILING);
  await faulty.event('worker.ready');
  const [givenUp = NaN] = await take(1, '--fault', 'corrupt-chunk', '--mode', 'tpc_kr83m');
  const debts = await take(2, '--mode', 'tpc_bkg');
  await lab.reached(givenUp, ['failed']);
  await until(
    'it to be given up',
    async () => (await lab.run(givenUp)).bootstrax.n_failures === 10,
  );
  for (const run of debts) await lab.reached(run, ['done']);
  await open(`/hosts?host=${FAULTY}`);
  await act(button('Drain'), 'event_info fails here only: new software is installed');

  const others = await Promise.all([SEEN, OTHER, DYING].map((host) => begin(host, CALM)));
  await Promise.all(others.map((manager) => manager.event('worker.ready')));
  const done: number[] = [];
  for (const mode of MODES) done.push(...(await take(RUNS_PER_MODE, '--mode', mode)));
  const corrupt = await take(3, '--fault', 'corrupt-chunk', '--mode', 'tpc_rn220');
  const [retrying = NaN, held = NaN, wrong = NaN] = corrupt;
  for (const run of done) await lab.reached(run, ['done']);
  for (const run of corrupt) await lab.reached(run, ['failed']);
  await killProcessesOf(lab.stateDir(DYING));
  await moveBack(lab, [...debts, ...done]);
  await repeatSigns(lab);

  // Until the pictures are taken: one run of each detector group.
  const live = ['--seconds', '1800', '--chunk-seconds', '10', '--speed', '1', '--rate', '20'];
  const groups = [
    ['--detectors', 'tpc,muon_veto', '--mode', 'tpc_radon'],
    ['--detectors', 'neutron_veto', '--mode', 'nveto_bkg'],
  ];
  // One after the other: two data acquisitions could take the same number.
  for (const [i, group] of groups.entries()) {
    lab.takeRuns([...live, ...group]).catch(() => undefined);
    await until(
      'a run that is being taken',
      async () => (await lab.runs.find({ end: null }).toArray()).length === i + 1,
    );
  }
  const busy = await until('a run in work on the host whose files are seen', async () => {
    const inWork = await lab.runs.find({ 'bootstrax.state': 'busy' }).toArray();
    return inWork.length === 2 && inWork.find(({ bootstrax }) => bootstrax.host === SEEN)?.number;
  });
  await take(2, '--mode', 'tpc_led');

  await lab.runs.updateOne(
    { number: retrying },
    {
      $set: {
        tags: [{ name: '_sciencerun1', user: 'anna', date: new Date() }],
        comments: [{ user: 'anna', date: new Date(), comment: 'A reader has written a bad file.' }],
      },
    },
  );
  await open(`/runs/${held}`);
  await act(button('Hold'), 'a reader writes bad files: ask the DAQ group first');
  await open(`/runs/${wrong}`);
  await act(button('Abandon'), 'taken with the wrong voltage');
  await open('/');
  const silent = page.getByRole('listitem').filter({ hasText: `${DYING} sends no heartbeat` });
  await silent.first().waitFor({ timeout: 90_000 });
  await act(
    silent.first().getByRole('button', { name: 'Acknowledge' }),
    'power supply, on its way: https://elog.example.org/1234',
  );
  // So that there are curves to see.
  await until('some chunks', async () => {
    const { attempt = '' } = (await lab.run(busy)).bootstrax;
    const file = join(lab.stateDir(SEEN), 'attempts', attempt, 'progress.ndjson');
    const points = (await readFile(file, 'utf8').catch(() => '')).split('\n').map(chunksOf);
    return Math.max(...points) >= 5;
  });
  return { hosts: [SEEN, OTHER, FAULTY, DYING], seen: SEEN, busy, givenUp };
}

function chunksOf(line: string): number {
  return line === '' ? 0 : ((JSON.parse(line) as { chunks?: number }).chunks ?? 0);
}

/** Spreads runs over the past hours; each is begun while it is taken and done soon after its end. */
async function moveBack(lab: Lab, runs: readonly number[]): Promise<void> {
  const nowMs = Date.now();
  const stepMs = (NIGHT_HOURS * 3_600_000) / runs.length;
  for (const [i, number] of runs.entries()) {
    const run = await lab.run(number);
    const lengthMs = run.end!.getTime() - run.start.getTime();
    const startMs = nowMs - 600_000 - (runs.length - i) * stepMs;
    const endMs = startMs + lengthMs;
    const attempts = await lab.attempts.find({ run: number }).sort({ started: 1 }).toArray();
    const claimedMs = Math.min(...attempts.map((attempt) => dateOf(attempt, 'started').getTime()));
    const waitMs = 2000 + ((number * 7919) % 60) * 100;
    const early = (date: Date) => new Date(startMs + waitMs + date.getTime() - claimedMs);
    const late = (date: Date) => new Date(endMs + date.getTime() - claimedMs);
    await lab.runs.updateOne(
      { number },
      { $set: movedRun(run, { startMs, early }, { endMs, late }) },
    );
    for (const attempt of attempts) {
      const { times } = attempt as unknown as { times?: Record<string, Date> };
      await lab.attempts.updateOne(
        { _id: attempt._id },
        {
          $set: {
            started: early(dateOf(attempt, 'started')),
            ended: late(dateOf(attempt, 'ended')),
            times: {
              ...Object.fromEntries(
                Object.entries(times ?? {}).map(([name, date]) => [name, early(date)]),
              ),
              ...{ runStart: new Date(startMs), runEnd: new Date(endMs) },
            },
          } as never,
        },
      );
    }
  }
}

function movedRun(
  { bootstrax }: StoredRun,
  { startMs, early }: { startMs: number; early: (date: Date) => Date },
  { endMs, late }: { endMs: number; late: (date: Date) => Date },
): Record<string, unknown> {
  const { time, started_processing: began } = bootstrax;
  return {
    ...{ start: new Date(startMs), end: new Date(endMs) },
    ...(time === undefined ? {} : { 'bootstrax.time': late(time) }),
    ...(began === undefined ? {} : { 'bootstrax.started_processing': early(began) }),
  };
}

function dateOf(document: object, field: string): Date {
  const value = (document as Record<string, unknown>)[field];
  if (value instanceof Date) return value;
  throw new Error(`an attempt without ${field}`);
}

/** The curves of hosts go back further than they have run. */
async function repeatSigns(lab: Lab): Promise<void> {
  const signs = lab.client.db(lab.daqDb).collection('eb_monitor');
  const all = await signs.find().toArray();
  const times = all.map((sign) => dateOf(sign, 'time').getTime());
  const spanMs = Math.max(...times) - Math.min(...times) + 9000;
  const copies = Math.ceil(3_600_000 / spanMs);
  const older = Array.from({ length: copies }, (_, i) =>
    all.map(({ _id, ...sign }) => ({
      ...sign,
      time: new Date(dateOf(sign, 'time').getTime() - (copies - i) * spanMs),
    })),
  ).flat();
  if (older.length > 0) await signs.insertMany(older);
}
