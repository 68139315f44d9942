import { basename, dirname } from 'node:path';
import type { Document } from 'mongodb';

import type { Plan } from '../../src/attempt/attempt.pure.ts';
import { defaultRules } from '../../src/infra/config/rules.pure.ts';
import { canTransition, type RunState } from '../../src/run/run.pure.ts';
import { ABANDON_TAG, HOLD_TAG } from '../../src/run/run-tags.pure.ts';
import { FINISHED_STATUS } from '../../src/run/run-updates.ts';
import { OUTPUT_DIRECTORY, type OutputFolder, STAGING_DIRECTORY, STATE_DIRECTORY } from './disk.ts';
import type { SimulatedHost } from './host.ts';
import type { Lacks } from './live-files.ts';
import { entriesOf, Losses } from './losses.ts';
import { CONSOLE } from './people.ts';
import { REFERENCE } from './reference.ts';
import { isForeign } from './reference-child.ts';
import type { Difference } from './store/changes.ts';
import type { Change } from './store/collection.ts';
import type { MemoryDatabase } from './store/index.ts';
import { sameValue } from './store/values.ts';
import type { World } from './worlds.ts';

/** A claim that was on its way so long may have begun before the tag was set, seconds. */
const TAG_GRACE_SECONDS = 90;

const OWN_FIELDS = new Set(['bootstrax', 'data', 'deleted_data', 'status']);

type Fields = Record<string, unknown>;

/** Attempts that really failed, in a way that counts. */
export interface Truth {
  /** The attempt's child failed of itself, or was killed. */
  failed: (attempt: string, run: number) => boolean;
  /** The attempt's child wrote a good result. */
  succeeded: (attempt: string) => boolean;
  /** What is not in what the attempt has made of the live data. */
  lacks: (attempt: string) => Lacks;
}

/** What a night consists of, as far as it is judged. */
interface Night {
  database: MemoryDatabase;
  hosts: ReadonlyMap<string, SimulatedHost>;
  worlds: ReadonlySet<World>;
}

/** Looks at each change of a run document as it happens. */
export class Invariants {
  readonly #database: MemoryDatabase;
  /** By each of their names. */
  readonly #hosts: ReadonlyMap<string, SimulatedHost>;
  readonly #losses: Losses;
  /** Two managers of one host may be alive at once. */
  readonly #twins: boolean;
  /** Which attempt has made each run done that one of ours has. */
  readonly #concluded = new Map<string, string>();
  /** Runs that a program has claimed which is not ours. */
  readonly #foreign = new Set<string>();
  readonly #truth: Truth;
  readonly #violated: (invariant: string, what: string) => void;
  readonly #last = new Map<string, Document>();
  /** Whose each run is, by the claims that landed; not by what the document says. */
  readonly #owners = new Map<string, { attempt: string; host: string } | null>();

  constructor(
    { database, hosts, worlds }: Night,
    truth: Truth,
    violated: (invariant: string, what: string) => void,
  ) {
    this.#twins = worlds.has('twins');
    this.#database = database;
    this.#hosts = hosts;
    this.#truth = truth;
    this.#violated = violated;
    this.#losses = new Losses(database, hosts, violated);
    database.attempts.listen((change) => this.#history(change));
  }

  /** No attempt is called vanished whose last words lie on the disk. */
  #history({ operationType, documentKey, updateDescription }: Change): void {
    if (operationType !== 'update') return;
    const { _id: id } = documentKey as { _id: unknown };
    const { updatedFields } = updateDescription as Difference;
    const { result } = updatedFields as {
      result?: { cause?: unknown; outcome?: unknown; input?: { incomplete?: unknown } | null };
    };
    if (result?.outcome === 'done') {
      const lacks = this.#truth.lacks(String(id));
      this.#told(`the history of ${String(id)}`, lacks, result.input?.incomplete);
    }
    if ((result?.cause ?? updatedFields['result.cause']) !== 'vanished') return;
    for (const { disk } of new Set(this.#hosts.values())) {
      const folder = disk.attempts.get(String(id));
      if (folder === undefined || (folder.exit === null && folder.result === null)) continue;
      this.#violated('who finished has not vanished', `attempt ${folder.id} is called vanished`);
    }
  }

  /** A program of ours is about to remove or replace a folder of the output. */
  removes(host: SimulatedHost, folder: OutputFolder): void {
    this.#losses.removes(host, folder);
  }

  /** A child of ours begins to work on a run. */
  begins(plan: Plan): void {
    const documents = [...this.#database.runs.all()].filter(({ number }) => number === plan.run);
    const own = documents.find(({ _id }) => String(_id) === plan.runDocument);
    // Somebody has taken it away meanwhile: what this child does is in vain.
    if (own === undefined || fieldsOf(own).attempt !== plan.attempt) return;
    const done = documents.find((one) => one !== own && this.#concluded.has(String(one._id)));
    if (done === undefined) return;
    this.#violated(
      'one number, one document',
      `run ${plan.run} is begun from ${String(own._id)}, and done from ${String(done._id)}`,
    );
  }

  /** Whether what a done run lists has been lost on the disk of its host. */
  lacksProduct(document: Document): boolean {
    return this.#losses.lacksProduct(document);
  }

  /** One of ours has made this run done. */
  hasConcluded(document: Document): boolean {
    return this.#concluded.has(String(document._id));
  }

  /** `author`: a host of ours, or anybody else. Answers whether any run has changed. */
  look(author: string): boolean {
    let changed = false;
    for (const after of this.#database.runs.all()) {
      const key = String(after._id);
      const before = this.#last.get(key);
      if (before === after) continue;
      changed = true;
      this.#last.set(key, after);
      if (author === REFERENCE) this.#foreign.add(key);
      const [was, is] = [fieldsOf(before ?? {}), fieldsOf(after)];
      if (is.state !== 'done') this.#concluded.delete(key);
      else if (was.state !== 'done' && this.#hosts.has(author)) {
        this.#concluded.set(key, String(was.attempt));
      }
      if (before !== undefined && this.#hosts.has(author)) this.#ours(author, before, after);
      this.#owners.set(key, this.#ownerAfter(author, this.#owners.get(key) ?? null, before, after));
    }
    return changed;
  }

  #ownerAfter(
    author: string,
    owner: { attempt: string; host: string } | null,
    before: Document | undefined,
    after: Document,
  ): { attempt: string; host: string } | null {
    const was = fieldsOf(before ?? {});
    const is = fieldsOf(after);
    if (is.state !== 'considering' && is.state !== 'busy') return null;
    if (typeof is.attempt !== 'string' || typeof is.host !== 'string') return null;
    if (is.attempt === was.attempt && is.host === was.host) return owner;
    const renamed = this.#hosts.get(is.host) === this.#hosts.get(String(was.host));
    if (author === CONSOLE && is.attempt === was.attempt && renamed) {
      return owner === null ? null : { ...owner, host: is.host };
    }
    // Copied along by somebody who does not know what it means.
    return this.#hosts.has(author) ? { attempt: is.attempt, host: is.host } : null;
  }

  #ours(author: string, before: Document, after: Document): void {
    const run = `run ${String(after.number)}`;
    const was = fieldsOf(before);
    const is = fieldsOf(after);
    this.#fieldsOfOthers(run, author, before, after);
    if (before.bootstrax === after.bootstrax) return;
    const [from, to] = [stateOf(was), stateOf(is)];
    const claims = is.attempt !== undefined && is.attempt !== was.attempt;
    if (from !== to && !canTransition(from, to as RunState)) {
      this.#violated('transitions', `${run}: ${author} made ${from} into ${to}`);
    }
    if (claims) this.#claim(run, author, before, is);
    else if (from === 'considering' || from === 'busy') this.#owned(run, author, before, was);
    if (from === 'abandoned') {
      this.#violated('abandoned stays abandoned', `${run}: ${author} wrote ${String(to)}`);
    }
    this.#failures(run, author, was, { ...is, number: Number(after.number) });
    if (to === 'done' && from !== 'done') this.#done(run, author, before, after);
  }

  #fieldsOfOthers(run: string, author: string, before: Document, after: Document): void {
    for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
      if (OWN_FIELDS.has(name) || sameValue(before[name], after[name])) continue;
      this.#violated('what persons wrote stays', `${run}: ${name} has changed`);
    }
    const [was, is] = [before.status as unknown, after.status as unknown];
    if (was === is) return;
    if (is === FINISHED_STATUS) this.#certified(after, author);
    const ours =
      is === FINISHED_STATUS && [undefined, null, 'needs_upload'].includes(was as string);
    if (!ours)
      this.#violated(
        'what persons wrote stays',
        `${run}: status ${String(was)} became ${String(is)}`,
      );
  }

  /** A status that hands the run on has been written by one of ours. */
  #certified(document: Document, author: string): void {
    this.#losses.certified(document, author);
    const attempt = this.#concluded.get(String(document._id));
    if (attempt === undefined || this.#truth.lacks(attempt).unreadable === 0) return;
    this.#violated(
      'only what is there is certified',
      `run ${String(document.number)}: ${author} hands it on, without files that cannot be read`,
    );
  }

  #claim(run: string, author: string, before: Document, is: Fields): void {
    const was = fieldsOf(before);
    if (is.host !== author)
      this.#violated('one effective owner', `${run}: claimed for ${String(is.host)}`);
    if (was.state === 'considering' || was.state === 'busy') {
      this.#lease(run, author, before, was);
      return;
    }
    const tags = (Array.isArray(before.tags) ? before.tags : []) as { name: string; date: Date }[];
    for (const { name, date } of tags) {
      if (name !== HOLD_TAG && name !== ABANDON_TAG) continue;
      if (this.#database.now() - date.getTime() < TAG_GRACE_SECONDS * 1000) continue;
      this.#violated('what persons wrote stays', `${run}: ${author} claimed it although ${name}`);
    }
  }

  /** Whom it is taken from has been silent for a whole lease. */
  #lease(run: string, author: string, before: Document, was: Fields): void {
    if (!(was.time instanceof Date)) return;
    const { busyLeaseSeconds, consideringLeaseSeconds } = defaultRules.limits;
    const lease = was.state === 'busy' ? busyLeaseSeconds : consideringLeaseSeconds;
    const seconds = (this.#database.now() - was.time.getTime()) / 1000;
    if (seconds >= lease) return;
    this.#violated(
      'the lease of others',
      `${run}: ${author} took it from ${String(was.host)} (${String(before._id)}), which was silent for ${seconds.toFixed(1)} s`,
    );
  }

  /** A write to a claimed run that is no claim: only its owner's may land. */
  #owned(run: string, author: string, before: Document, was: Fields): void {
    const owner = this.#owners.get(String(before._id)) ?? null;
    if (owner?.host === author && owner.attempt === was.attempt) return;
    this.#violated(
      'one effective owner',
      `${run}: ${author} wrote, but it is ${owner === null ? `${String(was.host)}'s, who is not of us` : `${owner.host}'s (${owner.attempt})`}`,
    );
  }

  #failures(run: string, author: string, was: Fields, is: Fields & { number: number }): void {
    const [before, after] = [countOf(was), countOf(is)];
    if (after === before) return;
    const say = (what: string) => this.#violated('counted failures', `${run}: ${author} ${what}`);
    if (after > 10) say(`counted to ${after}`);
    if (after !== before + 1) say(`made ${before} failures ${after}`);
    const attempt = String(was.attempt);
    const uncounted = Number(was.uncounted ?? 0);
    const excused =
      this.#truth.failed(attempt, is.number) ||
      uncounted >= 10 ||
      Number(was.holders_lost ?? 0) > 0;
    if (!excused)
      say(
        `counted a failure of attempt ${attempt}, which was no fault of the run: ${String(is.reason)}`,
      );
  }

  #done(run: string, author: string, before: Document, after: Document): void {
    const was = fieldsOf(before);
    const attempt = String(was.attempt);
    const lacks = this.#truth.lacks(attempt);
    this.#told(`run ${String(after.number)}`, lacks, fieldsOf(after).incomplete);
    if (lacks.unreadable === 0 && (after.status === undefined || after.status === null)) {
      this.#violated('done has its status', `${run}: done by ${author} without a status`);
    }
    if (!this.#truth.succeeded(attempt)) {
      this.#violated("done is its attempt's", `${run}: ${author} concluded ${attempt}`);
    }
    this.dataThere(after, author);
  }

  /** What is not in the data of a run is said of it, and nothing else is. */
  #told(whose: string, { unreadable, missing }: Lacks, said: unknown): void {
    const { unreadable: cut = 0, missing: absent = 0 } = (said ?? {}) as Partial<Lacks>;
    if (cut === unreadable && absent === missing) return;
    this.#violated(
      'what lacks is told',
      `${whose}: ${unreadable} files are cut and ${missing} missing, told are ${cut} and ${absent}`,
    );
  }

  /** Each entry of a done run, of the host that did it, has its folder. */
  dataThere(document: Document, name: string): void {
    const host = this.#hosts.get(name);
    if (host === undefined) return;
    const entries = (document.data as Fields[]).filter((entry) => entry.host === name);
    if (entries.length === 0) {
      this.#violated('done has its data', `run ${String(document.number)}: no entry of ${name}`);
    }
    for (const { location } of entries) {
      if (host.disk.output.get(String(location))?.finished === true) continue;
      this.#violated(
        'done has its data',
        `run ${String(document.number)}: ${String(location)} is not on the disk of ${name}`,
      );
    }
  }

  /** After everything has come to rest. */
  atRest(): void {
    for (const document of this.#database.runs.all()) {
      const attempt = this.#concluded.get(String(document._id));
      // What others have made or called done is theirs to answer for.
      if (attempt === undefined) continue;
      this.dataThere(document, String(fieldsOf(document).host));
      this.#losses.madeBy(document, attempt);
    }
    for (const host of new Set(this.#hosts.values())) this.#leftBehind(host);
  }

  /** Several documents have the number in a folder's name. */
  #isShared(location: string): boolean {
    const number = Number(/(\d+)-[^/]+$/.exec(location)?.[1]);
    const documents = [...this.#database.runs.all()];
    return documents.filter((document) => Number(document.number) === number).length > 1;
  }

  #leftBehind(host: SimulatedHost): void {
    this.#attemptsLeft(host);
    this.#foldersLeft(host, this.#entriesLeft(host));
  }

  #attemptsLeft(host: SimulatedHost): void {
    for (const child of host.children) {
      if (child.alive) {
        this.#violated(
          'nothing is left behind',
          `${host.name}: attempt ${child.attempt} still runs`,
        );
      }
    }
    for (const folder of host.disk.attempts.values()) {
      // Nobody comes back to any other state folder.
      if (!folder.concluded && folder.state === STATE_DIRECTORY) {
        this.#violated('nothing is left behind', `${host.name}: attempt ${folder.id} is open`);
      }
    }
  }

  /** What the documents list of the host. */
  #entriesLeft(host: SimulatedHost): ReadonlySet<unknown> {
    const listed = new Set<unknown>();
    for (const document of this.#database.runs.all()) {
      for (const { host: name, location } of entriesOf(document)) {
        if (this.#hosts.get(String(name))?.disk.output !== host.disk.output) continue;
        listed.add(location);
        if (host.disk.output.has(String(location)) || this.#isForeigners(document)) continue;
        // A host that was away leaves the entry of a folder that another has had since.
        if (host.onFileServer && fieldsOf(document).state !== 'done') continue;
        this.#violated(
          'nothing is left behind',
          `run ${String(document.number)}: entry ${String(location)} of ${host.name} has no folder`,
        );
      }
    }
    return listed;
  }

  #foldersLeft(host: SimulatedHost, listed: ReadonlySet<unknown>): void {
    for (const folder of host.disk.output.values()) {
      const { location, attempt } = folder;
      if (dirname(location) !== OUTPUT_DIRECTORY) {
        this.#inPlace(host, folder);
        continue;
      }
      const state = host.disk.attempts.get(attempt)?.state ?? STATE_DIRECTORY;
      if (listed.has(location) || isForeign(attempt) || state !== STATE_DIRECTORY) continue;
      // Where another manager of its host has concluded the attempt, what it made stays.
      if (this.#twins) continue;
      // Nothing of a number that documents share is removed: nobody knows whose it is.
      if (this.#isShared(location)) continue;
      this.#violated('nothing is left behind', `${host.name}: ${location} belongs to no entry`);
    }
  }

  /** Of what is in no output folder only what is finished is left, where its own attempt made it. */
  #inPlace(host: SimulatedHost, folder: OutputFolder): void {
    const { location, attempt, finished, runId, changedAt } = folder;
    const say = (what: string) =>
      this.#violated('nothing is left behind', `${host.name}: ${location} of ${attempt} ${what}`);
    if (dirname(location) !== `${STAGING_DIRECTORY}/${attempt}`) {
      return say('lies in the place of another attempt');
    }
    // Where its record is in a state folder that nobody comes back to, only its quietness tells that
    // nobody writes to it any more.
    const state = host.disk.attempts.get(attempt)?.state ?? STATE_DIRECTORY;
    const quietSeconds = host.time.seconds - changedAt;
    if (state !== STATE_DIRECTORY && quietSeconds < defaultRules.limits.quietSeconds) return;
    if (!finished) return say('was never finished');
    const documents = [...this.#database.runs.all()].filter(
      ({ number }) => Number(number) === Number(runId),
    );
    const names = [...host.disk.output.values()]
      .filter((each) => dirname(each.location) === dirname(location))
      .map((each) => basename(each.location));
    const isThere = documents.some((document) => {
      const listed = new Set(entriesOf(document).map((entry) => basename(String(entry.location))));
      return fieldsOf(document).state === 'done' && names.every((name) => listed.has(name));
    });
    if (isThere && documents.length === 1) say('is not needed any more');
  }

  /** Somebody who is not of us has worked on it. */
  #isForeigners(document: Document): boolean {
    return this.#foreign.has(String(document._id));
  }
}

/** Whether others have the number of a run. */
export function sharesNumber(database: MemoryDatabase, { _id, number }: Document): boolean {
  for (const other of database.runs.all()) {
    if (other.number === number && other._id !== _id) return true;
  }
  return false;
}

export function isTagged(document: Document, name: string): boolean {
  const { tags } = document as { tags?: unknown };
  return Array.isArray(tags) && (tags as { name: string }[]).some((tag) => tag.name === name);
}

export function fieldsOf(document: Document): Fields {
  const { bootstrax } = document as { bootstrax?: unknown };
  return typeof bootstrax === 'object' && bootstrax !== null ? (bootstrax as Fields) : {};
}

function stateOf(fields: Fields): RunState | null {
  return (fields.state ?? null) as RunState | null;
}

function countOf(fields: Fields): number {
  return typeof fields.n_failures === 'number' ? fields.n_failures : 0;
}
