import { utcToTheSecond } from '../infra/values/utc.pure.ts';
import type { AttentionItem } from './attention.pure.ts';
import { CONDITIONS, type Condition } from './run-condition.pure.ts';
import type { FailureGroup } from './failures.pure.ts';
import type { HostCard } from './hosts.pure.ts';
import type { Queue } from './queue.pure.ts';
import { counted } from '../infra/values/counted.pure.ts';

/** What somebody has asked for. */
export interface PersonsAction {
  requested: Date;
  by: string;
  kind: string;
  /** `run 1234`, or the name of a host. */
  target: string;
  reason: string;
  state: string;
}

/** What has happened in the hours before a hand-over. */
export interface HandoverFacts {
  from: Date;
  to: Date;
  attention: readonly AttentionItem[];
  /** Runs begun in this time, as they stand at its end. */
  runs: readonly { run: number | null; condition: Condition; start: string | null }[];
  /** There were more than are listed. */
  runsAtLeast: boolean;
  queue: Queue;
  ended: readonly { outcome: string; counted: boolean }[];
  /** With all that is known of earlier times, so that new ones can be told. */
  failures: readonly FailureGroup[];
  debts: readonly { run: number; lacks: readonly string[] }[];
  hosts: readonly HostCard[];
  deletions: readonly { run: number; state: string; bytesFreed: number | null }[];
  actions: readonly PersonsAction[];
}

/** Longer lists are cut, and say so. */
const MOST_LINES = 12;
const MOST_RUNS = 8;

/** The hand-over as plain text for a log book; UTC throughout. */
export function handoverText(facts: HandoverFacts): string {
  const { from, to } = facts;
  return [
    `Event builders, ${minute(from)} to ${minute(to)} UTC`,
    ...section(needs(facts)),
    ...section(runs(facts)),
    ...section(failures(facts)),
    ...section(debts(facts)),
    ...section(hosts(facts)),
    ...section(deletions(facts)),
    ...section(actions(facts)),
  ].join('\n');
}

function section(lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', ...lines];
}

function needs({ attention }: HandoverFacts): string[] {
  const open = attention.filter(({ acknowledged }) => acknowledged === null);
  const known = attention.filter(({ acknowledged }) => acknowledged !== null);
  return [
    ...(open.length === 0 ? ['Nothing needs a human.'] : [`NEEDS A HUMAN: ${open.length}`]),
    ...items(open, (item) => `${attentionText(item)} To do: ${item.todo}`),
    ...(known.length === 0 ? [] : [`Acknowledged, and not over: ${known.length}`]),
    ...items(known, (item) => {
      const { by, reason } = item.acknowledged!;
      return `${attentionText(item)} (${by}: "${oneLine(reason)}")`;
    }),
  ];
}

function attentionText({ what, since }: AttentionItem): string {
  return since === null ? what : `${what} (since ${minute(new Date(since))})`;
}

function runs({ runs: begun, runsAtLeast, queue, ended }: HandoverFacts): string[] {
  const numbers = begun.flatMap(({ run }) => run ?? []);
  const span = numbers.length === 0 ? '' : `, ${Math.min(...numbers)} to ${Math.max(...numbers)}`;
  const standing = CONDITIONS.flatMap((condition) => {
    const count = begun.filter((run) => run.condition === condition).length;
    return count === 0 ? [] : [`${count} ${condition.replace('_', ' ')}`];
  });
  const stand = standing.length === 0 ? '' : `; now ${standing.join(', ')}`;
  const { fresh, due, later, held, oldest, atLeast } = queue;
  const since = oldest === null ? '' : `, the oldest begun ${minute(new Date(oldest.start))}`;
  const succeeded = ended.filter(({ outcome }) => outcome === 'done').length;
  const failed = ended.filter(({ counted }) => counted).length;
  return [
    `Runs begun: ${runsAtLeast ? 'at least ' : ''}${begun.length}${span}${stand}.`,
    `Attempts ended: ${ended.length}, of which ${succeeded} succeeded and ${failed} failed.`,
    `Waiting now: ${atLeast ? 'at least ' : ''}${fresh} new${since}; ${due} to be tried again now, ${later} later; ${held} held.`,
  ];
}

function failures({ failures: groups, from }: HandoverFacts): string[] {
  const recent = groups.filter(({ lastSeen }) => Date.parse(lastSeen) >= from.getTime());
  if (recent.length === 0) return [];
  return [
    'Failures:',
    ...items(recent, ({ runs: of, hosts: on, reason, firstSeen, onlyHost }) => {
      const isNew = Date.parse(firstSeen) >= from.getTime();
      const where = onlyHost === null ? `on ${on.join(', ')}` : `only on ${onlyHost}`;
      return `${isNew ? 'NEW: ' : ''}${oneLine(reason)} (runs ${some(of)}; ${where})`;
    }),
  ];
}

function debts({ debts: open }: HandoverFacts): string[] {
  if (open.length === 0) return [];
  return ['Done with less than was wanted:', ...items(open, debtText)];
}

function debtText({ run, lacks }: { run: number; lacks: readonly string[] }): string {
  return `run ${run} lacks ${lacks.join(', ')}`;
}

function hosts({ hosts: cards }: HandoverFacts): string[] {
  return [
    `Hosts: ${cards.length}${cards.length === 0 ? '; no host has ever given a life sign.' : ''}`,
    ...items(cards, ({ host, condition, runs: its, whyNot, diskPercent, diskFullInHours }) => {
      const work = its.length === 0 ? '' : ` with run ${its.join(', ')}`;
      const why = whyNot === null || condition === 'silent' ? '' : `: ${oneLine(whyNot)}`;
      const disk = diskPercent === null ? '' : `; disk ${Math.round(diskPercent)} %`;
      const full = diskFullInHours === null ? '' : `, full in ${diskFullInHours.toFixed(0)} h`;
      // A drain says so itself.
      const is =
        condition === 'drained' && whyNot !== null
          ? ` ${oneLine(whyNot)}${work === '' ? '' : `; still busy${work}`}`
          : ` ${condition}${work}${why}`;
      return `${host}${is}${disk}${full}`;
    }),
  ];
}

function deletions({ deletions: all }: HandoverFacts): string[] {
  if (all.length === 0) return [];
  const done = all.filter(({ state }) => state === 'done');
  const freed = done.reduce((sum, { bytesFreed }) => sum + (bytesFreed ?? 0), 0);
  const refused = all.filter(({ state }) => state === 'refused').map(({ run }) => run);
  const left = all.length - done.length - refused.length;
  return [
    `Live data deleted: of ${counted(done.length, 'run')}, ${(freed / 1e9).toFixed(1)} GB` +
      `${left === 0 ? '' : `; of ${left} not yet finished`}` +
      `${refused.length === 0 ? '' : `; refused for runs ${some(refused)}`}.`,
  ];
}

function actions({ actions: asked }: HandoverFacts): string[] {
  if (asked.length === 0) return ['Nobody has asked for anything.'];
  return [
    'Asked for by people:',
    ...items(asked, ({ requested, by, kind, target, reason, state }) => {
      const end = state === 'done' ? '' : ` [${state}]`;
      return `${minute(requested)} ${by}: ${kind} ${target}, "${oneLine(reason)}"${end}`;
    }),
  ];
}

function items<T>(list: readonly T[], text: (item: T) => string): string[] {
  const lines = list.slice(0, MOST_LINES).map((item) => `- ${text(item)}`);
  return list.length <= MOST_LINES ? lines : [...lines, `- and ${list.length - MOST_LINES} more`];
}

function some(numbers: readonly number[]): string {
  const shown = numbers.slice(0, MOST_RUNS).join(', ');
  return numbers.length <= MOST_RUNS ? shown : `${shown} and ${numbers.length - MOST_RUNS} more`;
}

/** A reason may hold line breaks; a line of a log book must not. */
function oneLine(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= 200 ? line : `${line.slice(0, 199)}…`;
}

function minute(date: Date): string {
  return utcToTheSecond(date).slice(0, 16);
}
