import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { type Lab, type StoredAttempt, type StoredRun, until } from '../../support/lab.ts';
import { processesOf } from '../../support/processes.ts';
import { compareWithUndisturbed, type Processed } from './data.ts';
import type { Database, Host } from './stage.ts';

/** Longest time in which not one more run is settled. */
const SETTLING_SECONDS = 180;
const CLOSING_SECONDS = 60;

export interface Verdict {
  done: number;
  givenUp: number;
  /** Everything that is not as it should be. */
  problems: string[];
}

/** Waits until every run is settled, as long as one after the other is, and says which are not. */
export async function settled(lab: Lab, numbers: readonly number[]): Promise<string[]> {
  let left = await unsettledOf(lab, numbers);
  while (left.length > 0) {
    const before = left.length;
    try {
      await until(
        'the next run to be settled',
        async () => {
          left = await unsettledOf(lab, numbers);
          return left.length < before;
        },
        SETTLING_SECONDS,
      );
    } catch {
      return left.map((run) => `run ${run.number} is stuck: ${JSON.stringify(run.bootstrax)}`);
    }
  }
  return [];
}

async function unsettledOf(lab: Lab, numbers: readonly number[]): Promise<StoredRun[]> {
  const runs = await lab.runs.find({}, { projection: { number: 1, bootstrax: 1 } }).toArray();
  return runs.filter((run) => numbers.includes(run.number) && !isSettled(run));
}

function isSettled({ bootstrax }: StoredRun): boolean {
  return bootstrax.state === 'done' || bootstrax.outcome === 'given_up';
}

/** The runs that were taken. */
interface Taken {
  numbers: readonly number[];
  /** Attempts that a fault has ended in a way that may count as a failure of the run. */
  mayCount: ReadonlySet<string>;
}

/** Everything that has to hold once the faults have ended and every run is settled. */
export async function judge(
  lab: Lab,
  hosts: readonly Host[],
  database: Database,
  { numbers, mayCount }: Taken,
): Promise<Verdict> {
  const problems = await openEnds(lab, hosts);
  for (const host of hosts) {
    const { manager } = host;
    await host.endManager('SIGTERM');
    await lab.endWorkers(host.name);
    const code = manager?.child.exitCode;
    if (code !== 0) problems.push(`the manager of ${host.name}, told to end, exits with ${code}`);
    problems.push(...host.problems);
  }
  const runs = await lab.runs.find().toArray();
  const attempts = await lab.attempts.find().toArray();
  const found = runs.map(({ number }) => number).sort((a, b) => a - b);
  const expected = [...numbers].sort((a, b) => a - b);
  if (JSON.stringify(found) !== JSON.stringify(expected)) {
    problems.push(`runs taken: ${expected.join(' ')}; in the database: ${found.join(' ')}`);
  }
  for (const run of runs) problems.push(...judgeRun(run, attempts, hosts, mayCount));
  problems.push(...judgeFolders(runs, hosts));
  const processed = runs.filter(({ bootstrax }) => bootstrax.state === 'done');
  problems.push(
    ...(await compareWithUndisturbed(
      processed.flatMap((run) => whereProcessed(run, hosts)),
      join(lab.root, 'undisturbed'),
    )),
  );
  problems.push(...(await orphans(lab, database)));
  return {
    done: processed.length,
    givenUp: runs.filter(({ bootstrax }) => bootstrax.outcome === 'given_up').length,
    problems,
  };
}

/** Attempts that nobody concludes any more, although there is a manager for them. */
async function openEnds(lab: Lab, hosts: readonly Host[]): Promise<string[]> {
  let left: string[] = [];
  try {
    await until(
      'all attempts to be concluded',
      async () => {
        const unfinished = await lab.attempts.find({ ended: null } as object).toArray();
        left = [
          ...hosts.flatMap((host) =>
            host
              .openAttempts()
              .map(({ attempt, run }) => `attempt ${attempt} (run ${run}) is open on ${host.name}`),
          ),
          ...unfinished.map(
            ({ _id, run }) => `attempt ${_id} (run ${run}) has no end in the history`,
          ),
        ];
        return left.length === 0;
      },
      CLOSING_SECONDS,
    );
    return [];
  } catch {
    return left;
  }
}

function judgeRun(
  run: StoredRun,
  attempts: readonly StoredAttempt[],
  hosts: readonly Host[],
  mayCount: ReadonlySet<string>,
): string[] {
  const own = attempts.filter((attempt) => attempt.run === run.number);
  return [
    ...judgeFailures(run, own, mayCount),
    ...judgeEnd(run, own, hosts),
    ...judgeEntries(run),
  ].map((problem) => `run ${run.number} ${problem}`);
}

function judgeFailures(
  run: StoredRun,
  own: readonly StoredAttempt[],
  mayCount: ReadonlySet<string>,
): string[] {
  const problems: string[] = [];
  const { n_failures: failures = 0, attempt } = run.bootstrax;
  if (attempt !== undefined) problems.push(`is settled and still belongs to attempt ${attempt}`);
  const counted = own.filter(({ result }) => result?.counted === true);
  for (const { _id, result } of counted) {
    const again = isHolderLost(result) && own.some((other) => isEarlierLoss(other, _id));
    if (!mayCount.has(_id) && !again) {
      problems.push(`attempt ${_id} counts, without a fault of its own: ${result?.reason}`);
    }
  }
  if (failures !== counted.length) {
    problems.push(`has ${failures} failures, its history ${counted.length}`);
  }
  return problems;
}

function judgeEnd(run: StoredRun, own: readonly StoredAttempt[], hosts: readonly Host[]): string[] {
  const problems: string[] = [];
  const { state, host } = run.bootstrax;
  const successes = own.filter(({ result }) => result?.outcome === 'done');
  if (state === 'done') {
    if (successes.length !== 1) {
      problems.push(
        `is done, with ${successes.length} successes in its history: ` +
          own.map(({ _id, result }) => `${_id} ${result?.outcome}`).join(', '),
      );
    }
    if (run.status !== 'eb_finished_pre') problems.push(`is done with status ${run.status}`);
    if (!hosts.some(({ name }) => name === host)) problems.push(`is done on ${host}`);
  } else if (successes.length > 0) {
    problems.push(`is ${state}, with a success in its history`);
  }
  return problems;
}

function judgeEntries(run: StoredRun): string[] {
  const problems: string[] = [];
  const { state, host } = run.bootstrax;
  const entries = run.data.filter(({ type }) => type !== 'live');
  const types = entries.map(({ type }) => String(type));
  if (new Set(types).size !== types.length) problems.push(`has types twice: ${types.join(' ')}`);
  for (const entry of entries) {
    if (state !== 'done' || entry['host'] !== host) {
      problems.push(
        `is ${state} by ${host}, with an entry ${String(entry['type'])} of ${String(entry['host'])}`,
      );
    }
  }
  return problems;
}

/** The run's holder went down, or stood still past its lease: counts only the second time. */
function isHolderLost(result: StoredAttempt['result']): boolean {
  return /without a heartbeat|vanished without a word/.test(result?.reason ?? '');
}

function isEarlierLoss({ _id, result }: StoredAttempt, than: string): boolean {
  return _id !== than && result?.counted === false && isHolderLost(result);
}

/** Every folder has its entry, every entry its folder. */
function judgeFolders(runs: readonly StoredRun[], hosts: readonly Host[]): string[] {
  const listed = new Set(
    runs.flatMap(({ data }) =>
      data.filter(({ type }) => type !== 'live').map((entry) => String(entry['location'])),
    ),
  );
  const there = new Set(
    hosts.flatMap((host) => readdirSync(host.output).map((name) => join(host.output, name))),
  );
  return [
    ...[...there].filter((path) => !listed.has(path)).map((path) => `leftover folder ${path}`),
    ...[...listed].filter((path) => !there.has(path)).map((path) => `missing folder ${path}`),
  ];
}

function whereProcessed(run: StoredRun, hosts: readonly Host[]): Processed[] {
  const host = hosts.find(({ name }) => name === run.bootstrax.host);
  const attempt = run.bootstrax.last_attempt;
  if (host === undefined || attempt === undefined) return [];
  const planFile = join(host.stateDir, 'attempts', attempt, 'plan.json');
  return [{ run: run.number, planFile, output: host.output }];
}

async function orphans(lab: Lab, database: Database): Promise<string[]> {
  const ours = [await database.pid(), await lab.warmPythonPid()];
  let left: { pid: number; line: string }[] = [];
  try {
    await until(
      'all processes to be gone',
      () => {
        left = processesOf(lab.root).filter(({ pid }) => !ours.includes(pid));
        return left.length === 0;
      },
      15,
    );
    return [];
  } catch {
    return left.map(({ pid, line }) => `process ${pid} is left: ${line}`);
  }
}
