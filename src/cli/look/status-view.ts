import { clusterText } from '../../executors/cluster-facts.pure.ts';
import { type HostView, leftRunsText, namedInWords } from '../../host/host-document.pure.ts';
import type { Settings } from '../../infra/config/entries.ts';
import type { Store } from '../../ports/store.ts';
import type { AttentionItem } from '../../readmodel/attention.pure.ts';
import { type AttentionGroup, openGroups } from '../../readmodel/attention-groups.pure.ts';
import { hostCondition } from '../../readmodel/hosts.pure.ts';
import { firstLine } from '../../readmodel/run-row.pure.ts';
import type { QueueCounts } from '../../run/run.port.ts';
import { readRun } from '../../run/run.pure.ts';
import { type RunView, runView } from '../../run/run-view.pure.ts';
import { stallText } from '../../run/stall.pure.ts';
import { bar, bytes, duration, style, table } from '../framework/output.ts';
import { hostViews } from './host-view.ts';

/** The object of `bootstrax status --json`. */
export interface StatusView {
  /** By the database server's clock; ISO 8601, UTC. */
  time: string;
  hosts: HostView[];
  /** Each number counts at most 1000. */
  queue: QueueCounts;
  /** Runs that are considered or processed now. */
  runs: RunView[];
}

/** Looks at the databases: a few bounded queries. */
export async function readStatus(store: Store, settings: Settings): Promise<StatusView> {
  const now = await store.serverTime();
  const [hosts, queue, unsettled] = await Promise.all([
    hostViews(store, settings, now),
    store.runs.queueCounts(now, settings.rules.retry.maxFailures),
    store.runs.unsettled(),
  ]);
  const documents = await Promise.all(unsettled.map(({ id }) => store.runs.byId(id)));
  const runs = documents
    .filter((document) => document !== null)
    .map((document) => runView(readRun(document), now, settings.rules.limits))
    .sort((a, b) => (a.run ?? 0) - (b.run ?? 0));
  return { time: now.toISOString(), hosts, queue, runs };
}

/** The same for a person: hosts, queue, and a progress bar for each run in work. */
export function drawStatus({ time, hosts, queue, runs }: StatusView): string {
  const parts = [
    hosts.length === 0 ? 'No manager has reported yet.' : drawHosts(hosts),
    [
      style('bold', 'queue'),
      `${queue.new} new`,
      ...(queue.held > 0 ? [`${queue.held} held`] : []),
      `${queue.due} due for a retry`,
      `${queue.waiting - queue.due} waiting for a retry`,
      `${queue.considering + queue.busy} in work`,
    ].join('   '),
    ...runs.map((run) => drawRun(run, new Date(time))),
  ];
  return parts.join('\n\n');
}

/** A table of hosts. */
export function drawHosts(hosts: readonly HostView[]): string {
  return table(
    ['host', 'state', 'sign', 'runs', 'says'],
    hosts.map((view) => [
      view.host,
      drawState(view),
      `${duration(view.ageSeconds)} ago`,
      view.runs.join(' ') || '-',
      saysOf(view),
    ]),
  );
}

function saysOf(view: HostView): string {
  const { whyNot, thinking, cluster } = view;
  const says = [whyNot ?? thinking, leftRunsText(view)];
  return [...says, ...(cluster === undefined ? [] : [clusterText(cluster)])]
    .filter((each) => each !== null)
    .join('; ');
}

const MOST_ITEMS = 10;
/** Runs of one item of which each says what is known. */
const MOST_DETAILS = 3;

/** What needs attention, each with what to do; empty if nothing does. */
export function drawAttention(items: readonly AttentionItem[]): string {
  const open = openGroups(items);
  if (open.length === 0) return '';
  const more = open.length - MOST_ITEMS;
  return [
    style('bold', 'needs attention'),
    ...open.slice(0, MOST_ITEMS).flatMap(groupLines),
    ...(more > 0 ? [`  and ${more} more, on the page and with --json`] : []),
  ].join('\n');
}

/** What is known of a single item, or of each of a few, stands below the headline, in one line. */
function groupLines({ what, items }: AttentionGroup): string[] {
  const [first] = items;
  const runs = items.flatMap(({ run }) => run ?? []);
  const named = items.length === 1 ? '' : ` (${namedInWords(runs.map(String))})`;
  const details = items.slice(0, MOST_DETAILS).flatMap(({ run, detail }) => {
    const line = detail === null ? null : firstLine(detail);
    if (line === null) return [];
    return [`    ${items.length === 1 || run === null ? '' : `${run}: `}${line}`];
  });
  return [`  ${what}${named}`, ...details, `    ${first.todo}`];
}

/** As the page has it: a host that takes no run and has none is not called busy. */
function drawState(view: HostView): string {
  if (view.state === 'dead') return style('red', view.state);
  const condition = hostCondition(view);
  return style(condition === 'idle' ? 'green' : 'yellow', condition);
}

/** Two lines on one run that is being processed. */
export function drawRun(view: RunView, now: Date): string {
  const { run, state, host, mode, targets, progress, waitsFor } = view;
  const stands = progress?.isStalled === true ? style('yellow', 'stalled') : (state ?? 'new');
  const title = `${style('bold', `run ${run ?? '?'}`)}  ${mode ?? ''}  ${stands} on ${host ?? '?'}`;
  if (progress === null) {
    const facts = waitsFor === null ? targets.join(' ') : `waits for ${waitsFor}`;
    return `${title}\n  ${bar(0, 30)} ${facts}`;
  }
  const { fraction, coveredSeconds, phase, mbPerSecond, memoryBytes } = progress;
  const facts = [
    fraction === null ? '' : `${Math.round(fraction * 100)} %`.padStart(5),
    phase.replaceAll('_', ' '),
    `${coveredSeconds.toFixed(0)} s of data`,
    mbPerSecond === null ? '' : `${mbPerSecond.toFixed(1)} MB/s`,
    memoryBytes > 0 ? bytes(memoryBytes) : '',
    endInWords(progress, now),
  ];
  return `${title}  ${style('dim', targets.join(' '))}\n  ${bar(fraction ?? 0, 30)} ${facts.filter((fact) => fact !== '').join('  ')}`;
}

function endInWords(progress: NonNullable<RunView['progress']>, now: Date): string {
  const { estimatedEnd, behindSeconds, isStalled } = progress;
  if (isStalled) return stallText(progress);
  if (behindSeconds !== null) return `being taken, ${duration(behindSeconds)} behind`;
  if (estimatedEnd === null) return '';
  return `${duration((Date.parse(estimatedEnd) - now.getTime()) / 1000)} left`;
}
