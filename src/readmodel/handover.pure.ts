import { gigabytes } from '../infra/values/amounts.pure.ts';
import { counted } from '../infra/values/counted.pure.ts';
import { utcToTheSecond } from '../infra/values/utc.pure.ts';
import type { AttentionItem } from './attention.pure.ts';
import type { FailureGroup } from './failures.pure.ts';
import type { HostCard } from './hosts.pure.ts';
import type { Queue } from './queue.pure.ts';
import { type Condition, CONDITIONS } from './run-condition.pure.ts';

/** An action in the report. */
export interface PersonsAction {
  requested: Date;
  by: string;
  kind: string;
  /** `run 1234`, or the name of a host. */
  target: string;
  reason: string;
  state: string;
}

/** The facts of a handover. */
export interface HandoverFacts {
  from: Date;
  to: Date;
  attention: readonly AttentionItem[];
  /** Runs that began in this time, with their condition at its end. */
  runs: readonly { run: number | null; condition: Condition; start: string | null }[];
  /** More runs began than are listed. */
  runsAtLeast: boolean;
  queue: Queue;
  ended: readonly { outcome: string; counted: boolean }[];
  /** Failures of earlier times are included, so that new ones can be marked. */
  failures: readonly FailureGroup[];
  debts: readonly { run: number; lacks: readonly string[] }[];
  hosts: readonly HostCard[];
  deletions: readonly { run: number; state: string; bytesFreed: number | null }[];
  actions: readonly PersonsAction[];
}

/** Longer lists are cut, with the number of the rest. */
const MOST_LINES = 12;
const MOST_RUNS = 8;

/** The handover as plain text for a log book; all times are UTC. */
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
    ...(open.length === 0 ? ['Nothing needs attention.'] : [`NEEDS ATTENTION: ${open.length}`]),
    ...items(open, (item) => `${attentionText(item)} To do: ${item.todo}`),
    ...(known.length === 0 ? [] : [`Acknowledged, still open: ${known.length}`]),
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
  const since = oldest === null ? '' : `, the oldest from ${minute(new Date(oldest.start))}`;
  const succeeded = ended.filter(({ outcome }) => outcome === 'done').length;
  const failed = ended.filter((each) => each.counted).length;
  return [
    `New runs: ${runsAtLeast ? 'at least ' : ''}${begun.length}${span}${stand}.`,
    `Attempts ended: ${ended.length}, ${succeeded} succeeded and ${failed} failed.`,
    `Waiting now: ${atLeast ? 'at least ' : ''}${fresh} new${since}; ${due} due for a retry, ${later} waiting for a retry; ${held} held.`,
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
  return ['Done, with targets missing:', ...items(open, debtText)];
}

function debtText({ run, lacks }: { run: number; lacks: readonly string[] }): string {
  return `run ${run} lacks ${lacks.join(', ')}`;
}

function hosts({ hosts: cards }: HandoverFacts): string[] {
  return [
    `Hosts: ${cards.length}${cards.length === 0 ? '; no host has ever sent a heartbeat.' : ''}`,
    ...items(cards, ({ host, condition, runs: its, whyNot, diskPercent, diskFullInHours }) => {
      const work = its.length === 0 ? '' : ` with run ${its.join(', ')}`;
      const why = whyNot === null || condition === 'silent' ? '' : `: ${oneLine(whyNot)}`;
      const disk = diskPercent === null ? '' : `; disk ${Math.round(diskPercent)} %`;
      const full = diskFullInHours === null ? '' : `, full in ${diskFullInHours.toFixed(0)} h`;
      // The text of a drain names it already.
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
    `Live data deleted: ${counted(done.length, 'run')}, ${gigabytes(freed)}` +
      `${left === 0 ? '' : `; not finished for ${counted(left, 'run')}`}` +
      `${refused.length === 0 ? '' : `; refused for runs ${some(refused)}`}.`,
  ];
}

function actions({ actions: asked }: HandoverFacts): string[] {
  if (asked.length === 0) return ['No actions.'];
  return [
    'Actions:',
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
