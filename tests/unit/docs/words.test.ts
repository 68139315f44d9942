import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { readDocument } from './shown-by.ts';

/** A word or form that must not come back, and what to say. */
interface Banned {
  not: RegExp;
  say: string;
  /**
   * Parts of the project where it still stands. A part that is rid of it is taken out of this list. For
   * good stand there: the former names `--readout-mode` and `run.mended`; *test mode*, the reference's own
   * word; `unregister` of Python's selectors. The others are names in the code, not texts.
   */
  stillIn: readonly string[];
}

const BANNED: readonly Banned[] = [
  {
    not: /\b(life[- ]signs?|signs? of life)\b|[lL]ifeSign/,
    say: 'heartbeat',
    stillIn: [],
  },
  {
    not: /\bneeds? (a )?(human|person)\b|needs_human/,
    say: 'needs attention',
    stillIn: [],
  },
  {
    not: /\btime-outs?\b/,
    say: 'timeout',
    stillIn: [],
  },
  {
    not: /\b[pP]atience\b/,
    say: 'timeout',
    stillIn: [],
  },
  {
    not: /\b[lL]oose[- ]?[eE]nds?\b/,
    say: 'stale run, orphan',
    stillIn: ['src/attempt', 'src/manager'],
  },
  {
    not: /\bleft[- ]behind\b|leftBehind/,
    say: 'orphan, what a crash has left',
    stillIn: [],
  },
  {
    not: /\b[bB]ells?\b/,
    say: 'wake',
    stillIn: [],
  },
  {
    not: /\bnudge/,
    say: 'reminder, wake',
    stillIn: [],
  },
  {
    not: /\bso many\b/,
    say: 'the number with its noun',
    stillIn: ['src/claim'],
  },
  {
    not: /\bso (long|often|much)\b/,
    say: 'this time, this often',
    stillIn: [],
  },
  {
    not: /\bwho(m)?ever\b/,
    say: 'the person, the process',
    stillIn: [],
  },
  {
    not: /\b[hH]and-over\b/,
    say: 'handover (a report), handback (of a host)',
    stillIn: [],
  },
  {
    not: /(?<!runs\.)\b[uU]nregister/,
    say: 'withdraw',
    stillIn: ['src/attempt', 'src/database', 'src/ports', 'src/run', 'worker/bootstrax_worker'],
  },
  {
    not: /\bkee?p(s|ing)? back\b|[kK]eepingBack/,
    say: 'drain',
    stillIn: ['src/manager'],
  },
  {
    not: /\b[wW]ish(es|ed)?\b/,
    say: 'request',
    stillIn: [],
  },
  {
    not: /\b[lL]essons?\b/,
    say: 'history',
    stillIn: [],
  },
  {
    not: /\b(tidy|tidies|tidied|clean-up)\b/,
    say: 'housekeeping, remove',
    stillIn: [],
  },
  {
    not: /\b(elder|younger)\b/,
    say: 'earlier, new (of managers)',
    stillIn: [],
  },
  {
    not: /\breadout[- ]modes?\b|readoutMode/,
    say: 'run mode',
    stillIn: ['src/cli'],
  },
  {
    not: /\blinked detectors?\b/,
    say: 'detector',
    stillIn: [],
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
    stillIn: ['src/claim', 'src/manager', 'src/run', 'worker/bootstrax_worker'],
  },
  {
    not: /\b(un)?mend(s|ed|able|ing)?\b/,
    say: 'correct; permanent fault',
    stillIn: ['src/attempt', 'src/host', 'src/infra/renamed', 'src/manager', 'src/plan', 'src/retry'],
  },
  {
    not: /\bprocessed folder\b/,
    say: 'output folder',
    stillIn: [],
  },
  {
    not: /\bstate director(y|ies)\b/,
    say: 'state folder',
    stillIn: [],
  },
  {
    not: /\blook(s|ed|ing)? (at|for (?!collection)|into|through)\b/,
    say: 'read, check, poll, search',
    stillIn: ['src/attempt'],
  },
  {
    not: /\b1 (failures|findings|cores|runs|hosts|files|rows|chunks|folders|days|times|attempts|documents)\b/,
    say: 'counted(1, ...)',
    stillIn: [],
  },
  {
    not: /\$\{[^}]*\} (failures|findings|cores|hosts|files|rows|chunks|folders|days|times|attempts|documents|targets|products|lines|threads|processes)\b/,
    say: 'counted(number, noun)',
    stillIn: [],
  },
  {
    not: /, (ms|s|seconds|percent|bytes|characters|hours)\.? \*\//,
    say: 'the unit in the name, or beside its number',
    stillIn: ['src/attempt'],
  },
  {
    not: /\bto be left in peace\b|\bleft in peace\b/,
    say: 'polling stops',
    stillIn: [],
  },
];

const FOLDERS = [
  ...readdirSync('src').map((folder) => `src/${folder}`),
  ...['web/src', 'worker/bootstrax_worker', 'client/bootstrax_client', 'docs', 'config', 'scripts', 'bench'],
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
