import { ENTRIES, type Entry } from './entries.ts';

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
        '| setting | default | flag, variable | meaning |',
        '|---|---|---|---|',
        ...entries.map((entry) => row(entry, section)),
      ].join('\n'),
    )
    .join('\n\n');
}

function row({ path, env, flag, setting }: Entry, section: string): string {
  const name = `\`${path.slice(section.length + 1)}\``;
  const names = env === null ? 'file only' : `\`${flag}\`, \`${env}\``;
  const unit = setting.unit === undefined ? '' : ` ${setting.unit}`;
  const shown = defaultInWords(setting.defaultValue(FACTS));
  return `| ${name} | ${shown}${shown === '' ? '' : unit} | ${names} | ${setting.about} |`;
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
