import type { Logger } from 'pino';

import type { PluginGraph } from '../../attempt/attempt.pure.ts';
import { candidatePages } from '../../claim/candidates.ts';
import { claimDecision, type FleetFacts } from '../../claim/claim.pure.ts';
import { fleetFacts } from '../../claim/fleet-facts.ts';
import { type Observation, observe, staleness } from '../../claim/staleness.pure.ts';
import type { Clock } from '../../infra/clock/clock.ts';
import type { Tasks } from '../../infra/concurrency/tasks.ts';
import { Wake } from '../../infra/concurrency/wake.ts';
import { type HostRole } from '../../infra/config/host-role.pure.ts';
import type { Rules } from '../../infra/config/rules.pure.ts';
import { hostTargetsOf } from '../../plan/host-targets.pure.ts';
import { decidePlan } from '../../plan/plan.pure.ts';
import { dependsOnHost } from '../../plan/targets.pure.ts';
import { isOfDatabase } from '../../ports/persist.ts';
import type { Store } from '../../ports/store.ts';
import { idText } from '../../run/document-id.ts';
import {
  type BootstraxFields,
  checkRun,
  type ParsedRun,
  readRun,
  type StoredRun,
} from '../../run/run.pure.ts';
import type { RunDocument } from '../../run/run-document.port.ts';
import {
  claimVerdict,
  eventsBetween,
  inWords,
  planVerdict,
  retryVerdict,
  type ShadowVerdict,
  staleVerdict,
} from './shadow.pure.ts';
import { shownPlan } from './shown-plan.ts';

/** What a shadow needs from outside. Its store refuses to write. */
export interface ShadowMeans {
  host: string;
  role: HostRole;
  primaries: readonly string[];
  rules: Rules;
  /** The configuration of another host. */
  ofHost: (host: string) => Promise<{ role: HostRole; resourceTable: string }>;
  graph: PluginGraph | null;
  changeStream: boolean;
  store: Store;
  clock: Clock;
  tasks: Tasks;
  log: Logger;
  /** Adds a line to the log of decisions. */
  record: (line: object) => Promise<void>;
}

/** What the shadow knows about one run. */
interface Known {
  document: RunDocument;
  stored: StoredRun;
  parsed: ParsedRun;
  fields: BootstraxFields;
  /** The decision that was logged last while the run waited. */
  decision: string | null;
  observation: Observation | null;
  /** Its holder has been silent for the whole lease. */
  silent: { host: string | null; time: Date | null } | null;
  /** The plan of its present attempt is still to be compared. */
  planDue: boolean;
}

/**
 * Reads the same runs as the managers of other hosts and takes none. It logs each decision that it would
 * have made beside the one that was made.
 */
export class Shadow {
  readonly #means: ShadowMeans;
  readonly #wake: Wake;
  #runs = new Map<string, Known>();
  #connectedSince: number;

  constructor(means: ShadowMeans) {
    this.#means = means;
    this.#wake = new Wake(means.clock);
    this.#connectedSince = means.clock.monotonicSeconds();
  }

  /** Runs until its tasks are stopped. */
  async run(): Promise<void> {
    const { changeStream, log, rules, tasks } = this.#means;
    const ends = tasks.signal;
    if (changeStream) tasks.start('the change stream of runs', () => this.#watch());
    while (!ends.aborted) {
      try {
        await this.#look();
      } catch (error) {
        if (!isOfDatabase(error)) throw error;
        this.connectionLost();
        log.warn({ event: 'shadow.missed' }, error.message);
      }
      await this.#wake.wait(
        Math.min(rules.limits.idlePollSeconds, rules.limits.renewSeconds),
        ends,
      );
    }
  }

  async #watch(): Promise<void> {
    const { store, log, tasks } = this.#means;
    try {
      await store.runs.watch(() => this.#wake.notify(), tasks.signal);
    } catch (error) {
      log.warn({ event: 'shadow.polling' }, `no change stream, polling: ${String(error)}`);
    }
  }

  /** After an outage no silence counts, since nothing could be read. */
  connectionLost(): void {
    this.#connectedSince = this.#means.clock.monotonicSeconds();
  }

  async #look(): Promise<void> {
    const { store, rules, role } = this.#means;
    const now = await store.serverTime();
    const asked = { includeHeld: true, retries: { withinSeconds: 0 }, now };
    const held = await store.runs.unsettled();
    const documents = new Map<string, RunDocument>();
    for await (const page of candidatePages({ store, rules, role }, asked)) {
      for (const { document } of page) documents.set(idText(document._id), document);
    }
    const others = [
      ...held.map(({ id }) => id),
      ...[...this.#runs.values()].map(({ document }) => document._id),
    ];
    for (const id of others) {
      const key = idText(id);
      if (documents.has(key)) continue;
      const document = await store.runs.byId(id);
      if (document !== null) documents.set(key, document);
    }
    const fleet = await fleetFacts(this.#means, now);
    const before = this.#runs;
    this.#runs = new Map();
    for (const [key, document] of documents) {
      const known = await this.#follow(before.get(key) ?? null, document, fleet, now);
      const isOver = ['done', 'abandoned'].includes(known.fields.state ?? '');
      if (!isOver) this.#runs.set(key, known);
    }
  }

  async #follow(
    before: Known | null,
    document: RunDocument,
    fleet: FleetFacts,
    now: Date,
  ): Promise<Known> {
    const stored = readRun(document);
    const fields = stored.bootstrax;
    const known: Known = {
      document,
      stored,
      parsed: checkRun(stored),
      fields,
      decision: before?.decision ?? null,
      observation: null,
      silent: before?.silent ?? null,
      planDue: before?.planDue ?? false,
    };
    await this.#whatIsWaiting(known, fleet, now);
    for (const event of eventsBetween(before?.fields ?? null, fields)) {
      if (event.kind === 'taken') {
        known.decision = null;
        known.planDue = true;
        await this.#taken(known, event.host, now);
      } else {
        const failures = before?.fields.failures ?? Math.max(0, fields.failures - 1);
        if (event.kind === 'failed') {
          await this.#verdict(known, retryVerdict(failures, fields, this.#means.rules.retry), now);
        }
        await this.#outcome(known, now);
      }
    }
    await this.#silence(before, known, now);
    await this.#plan(known, now);
    return known;
  }

  /** Logs what this host would do with a waiting run: once, and after each change. */
  async #whatIsWaiting(known: Known, fleet: FleetFacts, now: Date): Promise<void> {
    const { state } = known.fields;
    if (state !== null && state !== 'failed') return;
    const { host, role, rules } = this.#means;
    const facts = { host, role, accepting: { ok: true } } as const;
    const decision = inWords(claimDecision(known.parsed, facts, { fleet, rules, now }));
    const text = JSON.stringify(decision);
    if (text === known.decision) return;
    known.decision = text;
    await this.#record(known, now, { kind: 'waiting', ours: { ...decision, host } });
  }

  async #taken(known: Known, host: string | null, now: Date): Promise<void> {
    const { rules, primaries, store } = this.#means;
    const name = host ?? 'an unnamed host';
    const { role } = await this.#means.ofHost(name);
    const fleet = await fleetFacts({ store, rules, role, primaries }, now);
    const facts = { host: name, role, accepting: { ok: true } } as const;
    await this.#verdict(known, claimVerdict(known.parsed, facts, { fleet, rules, now }), now);
  }

  /** Compares the plan as soon as the holder shows it, or when the attempt has ended without. */
  async #plan(known: Known, now: Date): Promise<void> {
    const { fields, parsed } = known;
    if (!known.planDue || fields.host === null || parsed.kind !== 'run') return;
    const { store, rules, graph } = this.#means;
    const shown = shownPlan(parsed.run.runId, await store.ebMonitor.newest(fields.host));
    const isHeld = fields.state === 'busy' || fields.state === 'considering';
    if (shown === null && isHeld) return;
    known.planDue = false;
    // The document counts the failure of this attempt already.
    const failures = fields.state === 'failed' ? Math.max(0, fields.failures - 1) : fields.failures;
    const { run } = parsed;
    const asks = dependsOnHost(run.mode, rules.targets);
    const targets = asks ? hostTargetsOf(await store.hostTargets.document(), fields.host) : null;
    const plan = decidePlan(
      { ...run, bootstrax: { ...run.bootstrax, failures } },
      {
        rules,
        hostTable: (await this.#means.ofHost(fields.host)).resourceTable,
        shedding: rules.targets.shedding,
        graph,
        culprits: [],
        memoryFailures: 0,
        hostTargets: targets?.kind === 'targets' ? targets.hostTargets : null,
        rateMBps: (await store.rates.ofRun(run.number))?.total ?? null,
      },
    );
    await this.#verdict(known, planVerdict(plan, shown ?? {}), now);
  }

  async #silence(before: Known | null, known: Known, now: Date): Promise<void> {
    const { clock, rules } = this.#means;
    const { state, attempt } = known.fields;
    const wasSilent = known.silent;
    if (state === 'considering' || state === 'busy') {
      const at = clock.monotonicSeconds();
      known.observation = observe(
        before?.observation ?? null,
        {
          state,
          attempt,
          timeMs: known.fields.time?.getTime() ?? null,
        },
        at,
      );
      const stale = staleness(known.observation, this.#connectedSince, at, rules.limits);
      if (stale.kind === 'stale') {
        if (wasSilent === null) {
          const { host, time } = known.fields;
          known.silent = { host, time };
          const ours = { what: 'requeued', host };
          await this.#record(known, now, { kind: 'silent', ours });
        }
        return;
      }
    }
    if (wasSilent === null) return;
    known.silent = null;
    await this.#verdict(known, staleVerdict(wasSilent, known.fields), now);
  }

  async #outcome(known: Known, now: Date): Promise<void> {
    const { state, failures, outcome, nextRetry, reason } = known.fields;
    await this.#record(known, now, {
      kind: 'outcome',
      theirs: {
        ...{ state, outcome, failures, nextRetry },
        reason: reason?.split('\n')[1] ?? null,
        status: known.stored.status,
      },
    });
  }

  async #verdict(known: Known, verdict: ShadowVerdict, now: Date): Promise<void> {
    await this.#record(known, now, verdict);
    const run = known.stored.ownership.number;
    const text = `run ${String(run)}: ${verdict.kind}, ${agreement(verdict.agrees)}`;
    this.#means.log.info({ event: 'shadow.decision', run, ...verdict }, text);
  }

  async #record(known: Known, now: Date, line: object): Promise<void> {
    const { parsed, fields } = known;
    const run = parsed.kind === 'run' ? parsed.run.number : parsed.malformed.number;
    await this.#means.record({ t: now.toISOString(), run, host: fields.host, ...line });
  }
}

function agreement(agrees: boolean | null): string {
  if (agrees === null) return 'unknown';
  return agrees ? 'same' : 'different';
}
