import { ENTRIES, type Entry } from './entries.ts';
import { expectedOf } from './expectation.pure.ts';
import { defaultIn } from './schema/setting.pure.ts';

/** The reference of all settings for `docs/configuration.md`: a table for each section of the file. */
export function settingsInMarkdown(): string {
  const sections = new Map<string, Entry[]>();
  for (const entry of ENTRIES) {
    const section = entry.path.slice(0, entry.path.lastIndexOf('.'));
    sections.set(section, [...(sections.get(section) ?? []), entry]);
  }
  return [...sections]
    .map(([section, entries]) =>
      [
        `### \`[${section}]\``,
        '',
        '| setting | value | default | flag, variable | meaning |',
        '|---|---|---|---|---|',
        ...entries.map((entry) => row(entry, section)),
      ].join('\n'),
    )
    .join('\n\n');
}

function row(entry: Entry, section: string): string {
  const { path, env, flag, setting, schema, earlier } = entry;
  const name = `\`${path.slice(section.length + 1)}\``;
  const names = env === null ? 'file only' : `\`${flag}\`, \`${env}\``;
  const unit = setting.unit === undefined ? '' : ` ${setting.unit}`;
  const shown = defaultInWords(defaultIn(setting, FACTS));
  const before = earlier === null ? '' : ` Its earlier name is \`${earlier.path}\`.`;
  return `| ${[
    ...[name, expectedOf(setting, schema), `${shown}${shown === '' ? '' : unit}`],
    ...[names, setting.description + before],
  ].join(' | ')} |`;
}

/** Stand-ins for what differs from machine to machine. */
const FACTS = {
  hostName: '(fully qualified name)',
  hostRows: [],
  packageDirectory: '(package)',
  stateHome: '~/.local/state',
};

function defaultInWords(value: unknown): string {
  if (value === null) return '';
  if (typeof value === 'string') return `\`${value}\``;
  if (Array.isArray(value) && value.every((word) => typeof word === 'string')) {
    return value.map((word) => `\`${word}\``).join(' ');
  }
  if (typeof value !== 'object') return JSON.stringify(value);
  const isEmpty = Object.keys(value).length === 0;
  return isEmpty ? '' : 'see `bootstrax config --json`';
}
