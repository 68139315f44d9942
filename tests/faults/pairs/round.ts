import { existsSync, readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import { type Lab, type StoredRun, until } from '../../support/lab.ts';
import { type Blow, describeRound, type RoundPlan } from './round-plan.ts';
import type { Seat } from './seat.ts';
import { entriesOf, flaw, Watcher } from './watcher.ts';

const DONE_SECONDS = 150;
const CONCLUDED_SECONDS = 60;
const RESTART_SECONDS = 3;

export interface Round {
  lab: Lab;
  seed: number;
  plan: RoundPlan;
  seats: readonly [Seat, Seat];
  numbers: readonly number[];
}

export interface RoundReport {
  seed: number;
  /** For a person: who met whom, and what was done to them. */
  what: string;
  seconds: number;
  problems: string[];
  /** Log lines of all managers if something is wrong. */
  story: string;
}

/** Kills and stops two managers by the plan; then both go on, and every run has to come right. */
export async function playRound(round: Round): Promise<RoundReport> {
  const watcher = new Watcher(round.lab, round.numbers);
  try {
    return await play(round, watcher);
  } finally {
    await watcher.end();
  }
}

async function play(round: Round, watcher: Watcher): Promise<RoundReport> {
  const { lab, seed, plan, seats, numbers } = round;
  const begin = performance.now();
  const blows = plan.blows.map((blow) => strike(seats[blow.seat], blow));
  const starts = seats.map(async (seat, i) => {
    await delay(plan.seats[i]!.startsAfterSeconds * 1000);
    await seat.start();
  });
  const ends = await Promise.all([...starts, ...blows]);
  for (const goOn of ends) goOn?.();
  const problems = [...(await allDone(round)), ...(await allConcluded(round))];
  problems.push(...(await watcher.end()));
  const runs = await lab.runs.find({ number: { $in: [...numbers] } }).toArray();
  problems.push(...runs.flatMap((run) => judgeRun(run)));
  if (plan.seats.every(({ kind }) => kind === 'ours')) problems.push(...leftovers(seats, runs));
  const story = problems.length === 0 ? '' : await storyOf(round, runs);
  const seconds = (performance.now() - begin) / 1000;
  return { seed, what: describeRound(plan), seconds, problems, story };
}

/** Answers what ends a standstill that lasts until the end of all blows. */
async function strike(
  seat: Seat,
  { atSeconds, kind, seconds }: Blow,
): Promise<(() => void) | undefined> {
  await delay(atSeconds * 1000);
  switch (kind) {
    case 'killed':
    case 'ended':
      seat.signal(kind === 'killed' ? 'SIGKILL' : 'SIGTERM');
      if (seconds === null) return undefined;
      await delay(seconds * 1000);
      await seat.start();
      return undefined;
    case 'child killed':
      seat.killChild();
      return undefined;
    case 'stopped': {
      seat.signal('SIGSTOP');
      const goOn = () => seat.signal('SIGCONT');
      if (seconds === null) return goOn;
      await delay(seconds * 1000);
      goOn();
      return undefined;
    }
  }
}

/** Starts what is down, as an init system would, until every run is done. */
async function allDone({ lab, plan, seats, numbers }: Round): Promise<string[]> {
  const [one, two] = plan.seats;
  // Of two of one host the younger ends the elder.
  const isOneSeat = one.kind === two.kind && one.host === two.host;
  let next = 0;
  let left: StoredRun[] = [];
  let lastStart = 0;
  try {
    await until(
      'all runs to be done',
      async () => {
        left = (await lab.runs.find({ number: { $in: [...numbers] } }).toArray()).filter(
          ({ bootstrax }) => bootstrax.state !== 'done',
        );
        if (left.length === 0) return true;
        if (performance.now() - lastStart < RESTART_SECONDS * 1000) return false;
        lastStart = performance.now();
        if (!isOneSeat) await Promise.all(seats.map((seat) => seat.start()));
        else if (!seats.some((seat) => seat.isAlive)) await seats[next++ % 2]!.start();
        return false;
      },
      DONE_SECONDS,
      200,
    );
    return [];
  } catch {
    return left.map((run) => `run ${run.number} is stuck: ${JSON.stringify(run.bootstrax)}`);
  }
}

/** What a living manager has in its state folder it brings to its end. */
async function allConcluded({ seats }: Round): Promise<string[]> {
  let left: string[] = [];
  try {
    await until(
      'all attempts to be concluded',
      () => {
        left = seats.filter((seat) => seat.isAlive).flatMap((seat) => seat.openAttempts());
        return left.length === 0;
      },
      CONCLUDED_SECONDS,
      200,
    );
    return [];
  } catch {
    return left.map((attempt) => `attempt ${attempt} is not concluded`);
  }
}

function judgeRun(run: StoredRun): string[] {
  const entries = entriesOf(run);
  const problems = entries.flatMap((entry) => {
    const location = String(entry['location']);
    const problem = flaw(location);
    return problem === null ? [] : [`lists ${location}, which ${problem}`];
  });
  const types = entries.map(({ type }) => String(type));
  if (!types.includes('raw_records')) problems.push('is done without raw_records');
  const { plan, outcome } = run.bootstrax;
  const missing =
    outcome === 'done' ? (plan?.targets ?? []).filter((each) => !types.includes(each)) : [];
  if (missing.length > 0) problems.push(`is done without its targets ${missing.join(', ')}`);
  if (new Set(types).size !== types.length) problems.push(`has types twice: ${types.join(' ')}`);
  return problems.map((problem) => `run ${run.number} ${problem}`);
}

/** Folders of the runs that no run lists: what is not published stays in the place of its attempt. */
function leftovers(seats: readonly Seat[], runs: readonly StoredRun[]): string[] {
  const listed = new Set(runs.flatMap((run) => entriesOf(run).map(({ location }) => location)));
  const outputs = [...new Set(seats.map(({ place }) => place.output))];
  return outputs
    .flatMap((output) => namesIn(output))
    .filter((path) => !listed.has(path))
    .map((path) => `${path} is left`);
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).map((name) => `${folder}/${name}`) : [];
}

async function storyOf({ lab, seats, numbers }: Round, runs: unknown): Promise<string> {
  const attempts = await lab.attempts.find({ run: { $in: [...numbers] } }).toArray();
  const stories = await Promise.all(seats.map((seat) => seat.story()));
  const documents = JSON.stringify({ runs, attempts }, null, 1);
  return `${stories.join('\n======\n')}\n======\n${documents}`;
}
