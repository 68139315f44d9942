import { type Command, Option } from 'commander';

/**
 * Takes an option under its former name as well, for one release, and says the new one. `flags` as
 * commander writes them: `--readout-mode <mode>`.
 */
export function addFormerName(command: Command, flags: string, present: string): void {
  const former = new Option(flags).hideHelp();
  const key = new Option(present).attributeName();
  command.addOption(former);
  command.on(`option:${former.name()}`, (value: string | null) => {
    process.stderr.write(`bootstrax: --${former.name()} is called ${present} now\n`);
    command.setOptionValueWithSource(key, value ?? true, 'cli');
  });
}
