import type { Command } from 'commander';

import { showSettings } from '../../infra/config/show-config.ts';
import { localQuery } from '../framework/answering.ts';
import { style, table } from '../framework/output.ts';
import { settingsOf, unknownVariables } from '../framework/setting-flags.ts';

/** `bootstrax config`: every setting with its value and source, secrets masked. */
export function addConfig(program: Command): void {
  localQuery(program, {
    name: 'config',
    about: 'show the effective settings and where each came from',
    json: 'one object: {file, settings: [{setting, value, source, env, flag}], unknown}',
    read: async (command) => {
      const { settings, sources, file } = await settingsOf(command);
      const unknown = unknownVariables(process.env);
      return { file, settings: showSettings(settings, sources), unknown };
    },
    draw: ({ settings, unknown }) => {
      for (const { name, meant } of unknown) {
        const hint = meant === null ? '' : `; did you mean ${meant}?`;
        process.stderr.write(`bootstrax: ${name} is no setting and is ignored${hint}\n`);
      }
      return settingsTable(settings);
    },
  });
}

function settingsTable(settings: ReturnType<typeof showSettings>): string {
  return table(
    ['setting', 'value', 'from', 'flag', 'environment'],
    settings.map(({ setting, value, source, flag, env }) => [
      setting,
      shortened(value),
      source === 'default' ? source : style('cyan', source),
      flag ?? 'file only',
      env ?? '',
    ]),
  );
}

function shortened(value: unknown): string {
  if (value === null) return '-';
  if (Array.isArray(value) && value.every((word) => typeof word === 'string')) {
    return value.join(',');
  }
  if (typeof value === 'string') return value;
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 37)}... (--json shows all)` : text;
}
