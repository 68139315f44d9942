import { type Command, Option } from 'commander';

import { ENTRIES, type Names } from '../../infra/config/entries.ts';
import { type FoundHostName, type Loaded, loadSettings } from '../../infra/config/load-config.ts';
import { closest } from '../../infra/config/suggest.pure.ts';

/** Every setting is a flag of every command; they are listed by `bootstrax config`, not in the help. */
export function addSettingFlags(program: Command): void {
  for (const { flag, setting } of ALL_NAMES) {
    if (flag === null) continue;
    const negated = flag.replace(/^--/, '--no-');
    const flags = setting.kind === 'boolean' ? [flag, negated] : [`${flag} <value>`];
    for (const each of flags) program.addOption(new Option(each, setting.description).hideHelp());
  }
}

/** Every setting by its name, and by its earlier one. */
const ALL_NAMES = ENTRIES.flatMap(({ setting, earlier, ...names }) => [
  { setting, ...names },
  ...(earlier === null ? [] : [{ setting, ...earlier }]),
]);

/** The effective settings of this call; says which earlier names are given. Throws a `ConfigurationFailure`. */
export async function settingsOf(
  command: Command,
  {
    host,
    ...options
  }: { withoutCredentials?: boolean; readOnlyAccount?: boolean; host?: string } = {},
): Promise<Loaded> {
  const program = rootOf(command);
  const { config } = program.opts<{ config?: string }>();
  const loaded = await loadSettings({
    ...options,
    env: process.env,
    // What is given for this host by flag or variable is then taken for the other as well.
    flags: host === undefined ? givenFlags(program) : { ...givenFlags(program), '--host': host },
    file: config ?? null,
    hostName: foundHostName,
  });
  // Of another host's settings it has been said already.
  for (const line of host === undefined ? loaded.renamed : [])
    process.stderr.write(`bootstrax: ${line}\n`);
  return loaded;
}

/** What the resolver says, unless the state folder knows this machine by another name. */
async function foundHostName(stateDir: string): Promise<FoundHostName> {
  const { fullyQualifiedHostName } = await import('../../infra/linux/host-name.ts');
  const { machineMark } = await import('../../exclusion/machine-mark.ts');
  const { readFolderRecord } = await import('../../exclusion/state-folder.ts');
  const { hostNameFor } = await import('../../exclusion/host-name.pure.ts');
  const name = await fullyQualifiedHostName();
  const given = { name, isExplicit: false, machine: machineMark(), stateDir };
  const decision = hostNameFor(await readFolderRecord(stateDir), given);
  if (decision.kind === 'as_stored') return decision;
  return { name, warning: null };
}

/** The settings given to this call as flags, and its `--config`, to be handed to another command. */
export function flagArguments(command: Command): string[] {
  const program = rootOf(command);
  const { config } = program.opts<{ config?: string }>();
  const flags = Object.entries(givenFlags(program)).map(([flag, value]) => {
    if (typeof value === 'string') return `${flag}=${value}`;
    return value ? flag : flag.replace(/^--/, '--no-');
  });
  return [...(config === undefined ? [] : [`--config=${config}`]), ...flags];
}

/** Variables named BOOTSTRAX_... that mean nothing, each with what may have been meant. */
export function unknownVariables(
  env: Readonly<Record<string, string | undefined>>,
): { name: string; meant: string | null }[] {
  const known = [
    'BOOTSTRAX_CONFIG',
    'BOOTSTRAX_CRASH_AT',
    ...ALL_NAMES.flatMap((e) => e.env ?? []),
  ];
  return Object.keys(env)
    .filter((name) => name.startsWith('BOOTSTRAX_') && !known.includes(name))
    .map((name) => ({ name, meant: closest(name, known) }));
}

function givenFlags(program: Command): Record<string, string | boolean> {
  const flags: Record<string, string | boolean> = {};
  for (const { flag, keyword } of ALL_NAMES.map(withKeyword)) {
    if (flag === null) continue;
    if (program.getOptionValueSource(keyword) !== 'cli') continue;
    flags[flag] = program.getOptionValue(keyword) as string | boolean;
  }
  return flags;
}

function withKeyword({ flag }: Names): { flag: string | null; keyword: string } {
  const keyword = (flag ?? '')
    .slice(2)
    .replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  return { flag, keyword };
}

function rootOf(command: Command): Command {
  return command.parent === null ? command : rootOf(command.parent);
}
