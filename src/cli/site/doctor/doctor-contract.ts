import type { CheckResult, ContractReport } from '../../../database/contract/run-contract.ts';
import type { Granted, Privilege } from '../../../database/privileges.ts';
import type { Loaded } from '../../../infra/config/load-config.ts';
import { CommandFailure } from '../../framework/command-failure.ts';
import { style, table } from '../../framework/output.ts';

/** What was found about one server. */
export interface ContractAnswer extends ContractReport {
  ok: boolean;
  privileges: (Privilege & { name: string; missing: readonly string[] | null })[];
  /** What is known of the present user's privileges, in words. */
  granted: string;
  /** For mongosh: what the server's administrator has to do. */
  commands: string[];
}

/** `bootstrax doctor --contract URL`: the program's own operations on a server, in a database that is removed again. */
export async function doctorContract(loaded: Loaded, url: string): Promise<ContractAnswer> {
  const { settings } = loaded;
  const { database } = settings;
  if (/^mongodb(\+srv)?:\/\/[^/]*@/.test(url)) {
    throw new CommandFailure(
      2,
      'the URL contains a user or password: put them into the credentials file of the database',
    );
  }
  const isDaq = database.daqUrl !== null && url === database.daqUrl;
  const server = {
    url,
    credentials: isDaq ? database.credentials.daq : database.credentials.runs,
    callTimeoutSeconds: database.callTimeoutSeconds,
  };
  const ends = new AbortController();
  const end = () => ends.abort();
  // A second one ends it at once, and leaves the database behind.
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
  const { runContract } = await import('../../../database/contract/run-contract.ts');
  const { askPrivileges, neededPrivileges, roleCommand } =
    await import('../../../database/privileges.ts');
  const names = { runs: database.runsDb, daq: database.daqDb };
  const here = neededPrivileges(database).filter(
    (privilege) => database.daqUrl === null || (privilege.database === 'daq') === isDaq,
  );
  const granted = await askPrivileges(server, here, names);
  const role = isDaq ? 'bootstrax_daq' : 'bootstrax';
  const report = await runContract(server, ends.signal);
  const answer: ContractAnswer = {
    ok:
      report.left === null &&
      report.checks.every(({ state }) => state === 'ok' || state === 'warn'),
    ...report,
    privileges: here.map((privilege) => ({
      ...privilege,
      name: `${names[privilege.database]}.${privilege.collection}`,
      missing: missingOf(privilege, granted),
    })),
    granted: grantedInWords(granted),
    commands: [
      roleCommand(role, here, names),
      ...usersOf(granted).map(
        ([user, db]) =>
          `db.getSiblingDB(${JSON.stringify(db)}).grantRolesToUser(${JSON.stringify(user)}, [{role: ${JSON.stringify(role)}, db: "admin"}])`,
      ),
    ],
  };
  const lacking = answer.privileges.some(({ missing }) => missing !== null && missing.length > 0);
  answer.ok &&= !lacking;
  return answer;
}

function missingOf(
  { database, collection }: Privilege,
  granted: Granted,
): readonly string[] | null {
  if (granted.kind !== 'known') return null;
  const lacking = granted.missing.find(
    (each) => each.database === database && each.collection === collection,
  );
  return lacking?.actions ?? [];
}

function usersOf(granted: Granted): [string, string][] {
  if (granted.kind !== 'known') return [['USER', 'admin']];
  return granted.users.map((name) => {
    const at = name.lastIndexOf('@');
    return [name.slice(0, at), name.slice(at + 1)];
  });
}

function grantedInWords(granted: Granted): string {
  switch (granted.kind) {
    case 'known': {
      const count = granted.missing.reduce((sum, { actions }) => sum + actions.length, 0);
      const who = granted.users.join(', ');
      return count === 0
        ? `${who} has all of them`
        : `${who} lacks ${count} of them: have the server's administrator do what is below`;
    }
    case 'nobody':
      return 'the server names nobody as logged in: it asks for no password, or knows the user by other means';
    case 'unknown':
      return `what the present user may do is not known: ${granted.why}`;
  }
}

/** For people. */
export function contractInWords(answer: ContractAnswer): string {
  const { server, database, checks, left, privileges, granted, commands } = answer;
  const lines = checks.map(checkInWords);
  const rows = privileges.map(({ name, actions, missing, why }) => [
    name,
    actions.map((each) => (missing?.includes(each) ? style('red', `${each}!`) : each)).join(' '),
    why,
  ]);
  const dropped =
    left === null
      ? `The scratch database ${database} is removed.`
      : `The scratch database ${database} could not be removed (${left}):\n  db.getSiblingDB(${JSON.stringify(database)}).dropDatabase()`;
  return [
    server,
    ...lines,
    dropped,
    '',
    style('bold', 'Privileges that a manager and its worker need'),
    table(['collection', 'actions', 'what for'], rows),
    granted,
    '',
    style('bold', 'For mongosh, as the administrator'),
    ...commands,
  ].join('\n');
}

function checkInWords({ check, state, says, means }: CheckResult): string {
  const colour = { ok: 'green', warn: 'yellow', problem: 'red', skipped: 'red' } as const;
  return `${style(colour[state], state.padEnd(7))} ${check}: ${says}\n        ${means}`;
}
