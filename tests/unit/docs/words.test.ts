import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { readDocument } from './shown-by.ts';

/** A word or form that must not come back, and what to say. */
interface Banned {
  not: RegExp;
  say: string;
  /** Parts of the project where it still stands. A part that is rid of it is taken out of this list. */
  stillIn: readonly string[];
}

const BANNED: readonly Banned[] = [
  {
    not: /\b(life[- ]signs?|signs? of life)\b|[lL]ifeSign/,
    say: 'heartbeat',
    stillIn: ['src/attempt', 'src/claim', 'src/cli', 'src/dashboard', 'src/database', 'src/exclusion', 'src/host', 'src/manager', 'src/ports', 'src/run', 'docs', 'config'],
  },
  {
    not: /\bneeds? (a )?(human|person)\b|needs_human/,
    say: 'needs attention',
    stillIn: ['src/dashboard', 'src/database', 'src/features', 'src/retry', 'docs'],
  },
  {
    not: /\btime-outs?\b/,
    say: 'timeout',
    stillIn: ['src/attempt', 'src/database', 'src/plan', 'src/ports', 'docs'],
  },
  {
    not: /\b[pP]atience\b/,
    say: 'timeout',
    stillIn: ['src/attempt', 'src/host', 'docs'],
  },
  {
    not: /\b[lL]oose[- ]?[eE]nds?\b/,
    say: 'stale run, orphan',
    stillIn: ['src/attempt', 'src/manager', 'docs'],
  },
  {
    not: /\bleft[- ]behind\b|leftBehind/,
    say: 'orphan, what a crash has left',
    stillIn: ['src/attempt', 'src/executors', 'src/manager', 'src/run', 'docs'],
  },
  {
    not: /\b[bB]ells?\b/,
    say: 'wake',
    stillIn: ['docs'],
  },
  {
    not: /\bnudge/,
    say: 'reminder, wake',
    stillIn: ['src/cli', 'src/dashboard', 'src/features'],
  },
  {
    not: /\bso many\b/,
    say: 'the number with its noun',
    stillIn: ['src/claim', 'src/executors', 'src/features', 'src/host', 'src/manager', 'src/run', 'docs'],
  },
  {
    not: /\bso (long|often|much)\b/,
    say: 'this time, this often',
    stillIn: ['src/attempt', 'src/claim', 'src/dashboard', 'src/features', 'src/host', 'src/manager', 'src/ports', 'src/readmodel', 'src/run', 'docs'],
  },
  {
    not: /\bwho(m)?ever\b/,
    say: 'the person, the process',
    stillIn: ['CONTRIBUTING.md', 'src/attempt', 'src/dashboard', 'src/exclusion', 'src/features', 'src/manager', 'src/retry', 'src/run', 'worker/bootstrax_worker', 'docs'],
  },
  {
    not: /\b[hH]and-over\b/,
    say: 'handover (a report), handback (of a host)',
    stillIn: ['web/src', 'docs'],
  },
  {
    not: /(?<!runs\.)\b[uU]nregister/,
    say: 'withdraw',
    stillIn: ['src/attempt', 'src/database', 'src/manager', 'src/ports', 'src/run', 'worker/bootstrax_worker'],
  },
  {
    not: /\bkee?p(s|ing)? back\b|[kK]eepingBack/,
    say: 'drain',
    stillIn: ['src/manager'],
  },
  {
    not: /\b[wW]ish(es|ed)?\b/,
    say: 'request',
    stillIn: ['src/host', 'src/manager'],
  },
  {
    not: /\b[lL]essons?\b/,
    say: 'history',
    stillIn: ['src/plan', 'src/retry'],
  },
  {
    not: /\b(tidy|tidies|tidied|clean-up)\b/,
    say: 'housekeeping, remove',
    stillIn: ['src/attempt', 'docs'],
  },
  {
    not: /\b(elder|younger)\b/,
    say: 'earlier, new (of managers)',
    stillIn: ['src/exclusion', 'src/host', 'src/manager', 'docs'],
  },
  {
    not: /\breadout[- ]modes?\b|readoutMode/,
    say: 'run mode',
    stillIn: ['src/cli', 'docs'],
  },
  {
    not: /\blinked detectors?\b/,
    say: 'detector',
    stillIn: ['src/claim', 'src/cli', 'docs'],
  },
  {
    not: /\btest mode\b/,
    say: 'trial',
    stillIn: ['src/cli', 'docs'],
  },
  {
    not: /\b(holdTag|abandonTag)\b/,
    say: 'HOLD_TAG, ABANDON_TAG',
    stillIn: [],
  },
  {
    not: /(?<!runs\.)\b[sS]ettl(e|es|ed|ing|ement)\b/,
    say: 'conclude',
    stillIn: ['src/attempt', 'src/claim', 'src/host', 'src/manager', 'src/retry', 'src/run', 'worker/bootstrax_worker', 'docs'],
  },
  {
    not: /\b(un)?mend(s|ed|able|ing)?\b/,
    say: 'correct; permanent fault',
    stillIn: ['src/attempt', 'src/claim', 'src/cli', 'src/exclusion', 'src/host', 'src/infra/renamed', 'src/manager', 'src/plan', 'src/retry', 'src/run', 'docs'],
  },
  {
    not: /\bprocessed folder\b/,
    say: 'output folder',
    stillIn: [],
  },
  {
    not: /\bstate director(y|ies)\b/,
    say: 'state folder',
    stillIn: ['src/attempt', 'src/dashboard', 'src/exclusion', 'docs'],
  },
  {
    not: /\blook(s|ed|ing)? (at|for (?!collection)|into|through)\b/,
    say: 'read, check, poll, search',
    stillIn: ['README.md', 'CONTRIBUTING.md', 'src/attempt', 'src/claim', 'src/cli', 'src/dashboard', 'src/database', 'src/exclusion', 'src/features', 'src/host', 'src/manager', 'src/plan', 'src/readmodel', 'src/retry', 'src/run', 'worker/bootstrax_worker', 'docs'],
  },
  {
    not: /\b1 (failures|findings|cores|runs|hosts|files|rows|chunks|folders|days|times|attempts|documents)\b/,
    say: 'counted(1, ...)',
    stillIn: ['config'],
  },
  {
    not: /\$\{[^}]*\} (failures|findings|cores|hosts|files|rows|chunks|folders|days|times|attempts|documents|targets|products|lines|threads|processes)\b/,
    say: 'counted(number, noun)',
    stillIn: ['src/attempt', 'src/claim', 'src/cli', 'src/features', 'src/plan', 'src/readmodel', 'src/run', 'web/src'],
  },
  {
    not: /, (ms|s|seconds|percent|bytes|characters|hours)\.? \*\//,
    say: 'the unit in the name, or beside its number',
    stillIn: ['src/attempt', 'src/claim', 'src/cli', 'src/dashboard', 'src/database', 'src/exclusion', 'src/executors', 'src/features', 'src/host', 'src/manager', 'src/plan', 'src/ports', 'src/readmodel', 'src/retry', 'web/src'],
  },
  {
    not: /\bto be left in peace\b|\bleft in peace\b/,
    say: 'polling stops',
    stillIn: ['src/dashboard'],
  },
];

const FOLDERS = [
  ...readdirSync('src').map((folder) => `src/${folder}`),
  ...['web/src', 'worker/bootstrax_worker', 'docs', 'config', 'scripts'],
];
/** They name the words themselves, or quote what was said in its time. */
const LEFT_OUT = ['docs/glossary.md'];
const READ = /\.(ts|tsx|py|md|mjs|toml|yml|json)$/;

const files = [
  'README.md',
  'CONTRIBUTING.md',
  ...FOLDERS.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  ),
].filter((file) => READ.test(file) && !LEFT_OUT.includes(file));
const texts = files.map((file) => ({ file, lines: readDocument(file).split('\n') }));

describe('words and forms of the glossary that must not come back', () => {
  it.each(BANNED)('$not is called: $say', ({ not, stillIn }) => {
    const found = texts
      .filter(({ file }) => !stillIn.some((part) => file === part || file.startsWith(`${part}/`)))
      .flatMap(({ file, lines }) =>
        lines.flatMap((line, at) => (not.test(line) ? [`${file}:${at + 1}: ${line.trim()}`] : [])),
      );
    expect(found).toEqual([]);
  });
});
