import { hello } from '../../infra/mongo/hello.ts';
import { toStoreError, withoutCredentials } from '../../infra/mongo/store-error.ts';
import { CHECKS } from './checks-in-order.ts';
import { type CheckContext, type ContractCheck, NotAsPromised } from './promise.ts';
import { type ContractServer, Scratch, scratchName } from './scratch.ts';

export type { ContractServer } from './scratch.ts';

export interface CheckResult {
  check: string;
  /** `warn`: it works without; `skipped`: the server did not answer any more. */
  state: 'ok' | 'warn' | 'problem' | 'skipped';
  says: string;
  means: string;
}

export interface ContractReport {
  database: string;
  server: string;
  checks: CheckResult[];
  /** Why the scratch database is still there; null if it is gone, or never was. */
  left: string | null;
}

/**
 * Runs the program's own operations against a fresh database on a server, which is removed again
 * however it ends. Throws a `StoreError` if it cannot even begin: server away, no privilege, or a
 * database of that name is there already. Of a server that knows too little all checks are skipped.
 */
export async function runContract(
  server: ContractServer,
  signal: AbortSignal,
  name: string = scratchName(),
): Promise<ContractReport> {
  const scratch = new Scratch(server, name);
  let found: { checks: CheckResult[]; server: string };
  try {
    await scratch.begin();
    found = { server: await describe(scratch), checks: await runChecks(scratch, signal) };
  } catch (error) {
    await scratch.end();
    const failure = toStoreError(error, 'the contract', 'scratch');
    // Whoever asks what a server lacks gets the table also of one that is too old for the first question.
    if (failure.kind !== 'unsupported') throw error;
    return { database: name, server: failure.message, checks: CHECKS.map(notAsked), left: null };
  }
  return { database: name, ...found, left: await scratch.end() };
}

function notAsked({ name: check, means }: ContractCheck): CheckResult {
  return {
    check,
    state: 'skipped',
    says: 'the server is too old to be asked, or of another make',
    means,
  };
}

async function runChecks(scratch: Scratch, signal: AbortSignal): Promise<CheckResult[]> {
  const context = { scratch, store: scratch.store() };
  const results: CheckResult[] = [];
  for (const check of CHECKS) {
    const away = results.at(-1)?.state === 'skipped' || (await isAway(scratch, results.at(-1)));
    if (!signal.aborted && !away) {
      results.push(await result(check, context));
      continue;
    }
    const says = signal.aborted ? 'ended by a person' : 'the server does not answer any more';
    results.push({ check: check.name, state: 'skipped', says, means: check.means });
  }
  return results;
}

async function result(check: ContractCheck, context: CheckContext): Promise<CheckResult> {
  const { name, means, weight } = check;
  try {
    return { check: name, state: 'ok', says: await check.look(context), means };
  } catch (error) {
    const says = error instanceof Error ? error.message : String(error);
    const answered =
      error instanceof NotAsPromised || toStoreError(error, name, 'scratch').kind !== 'unreachable';
    const state = answered && weight === 'hindrance' ? 'warn' : 'problem';
    return { check: name, state, says: withoutCredentials(says), means };
  }
}

/** After a check that failed: without a server each of the others would wait for its answer. */
async function isAway(scratch: Scratch, last: CheckResult | undefined): Promise<boolean> {
  if (last?.state !== 'problem') return false;
  try {
    await scratch.command('admin', { ping: 1 });
    return false;
  } catch {
    return true;
  }
}

async function describe(scratch: Scratch): Promise<string> {
  const says = await hello((command) => scratch.command('admin', command));
  const build = await scratch.command('admin', { buildInfo: 1 }).catch(() => null);
  const version = typeof build?.['version'] === 'string' ? ` ${build['version']}` : '';
  return `MongoDB${version}, ${kindOfServer(says)}`;
}

function kindOfServer(says: Record<string, unknown>): string {
  const { setName, msg } = says;
  if (typeof setName === 'string') return `member of the replica set ${setName}`;
  return msg === 'isdbgrid' ? 'router of a sharded cluster' : 'a single server: no fail-over';
}
