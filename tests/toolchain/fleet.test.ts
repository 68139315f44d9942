import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { type ManagerProcess, type StoredRun, until } from '../support/lab.ts';
import { seededRandom } from './chance.ts';
import { HASTE, ours } from './haste.ts';
import { HALF_A_CLAIM, Observer, type Write } from './observer.ts';
import { type ReferenceManager, Site } from './site.ts';

// Reference and ours on two machines each, one database, fifty runs; both are killed at random.

const REFERENCE_HOSTS = ['eb3.xenon.local', 'eb4.xenon.local'];
const OUR_HOSTS = ['eb1.xenon.local', 'eb5.xenon.local'];
const KILLING_SECONDS = 40;
const LEASE_MS = 1000 * Math.min(HASTE.busyLeaseSeconds, HASTE.consideringLeaseSeconds);
/** A write reaches the onlooker this much later than it was made, at most. */
const LATE_MS = 1500;

let site: Site;

beforeAll(async () => {
  site = await Site.start();
  await site.openNursery();
  await site.makeOutput(...REFERENCE_HOSTS, ...OUR_HOSTS);
});
afterAll(() => site.end());

test(`a mixed fleet brings every run to its right end while managers are killed`, async () => {
  const { lab } = site;
  const chance = seededRandom('the mixed fleet');
  const healthy: number[] = [];
  const hopeless: number[] = [];
  const malformed: number[] = [];
  const held = 501;
  const unwanted = 502;
  const length = ['--seconds', '2', '--chunk-seconds', '1', '--overlap-seconds', '0.2'];
  const taking = async (args: string[]) =>
    lab.takeRuns([...length, '--speed', '0', '--gap-seconds', '0.3', ...args]);

  const [first] = await taking(['--runs', '1']);
  healthy.push(first!);
  await insertTagged(first!, { [held]: 'hold-processing', [unwanted]: 'abandon' });

  const observer = await Observer.watch(lab);
  const fleet = new Fleet();
  for (const host of REFERENCE_HOSTS) await fleet.startReference(host);
  for (const host of OUR_HOSTS) await fleet.startOurs(host);

  const daq = (async () => {
    healthy.push(...(await taking(['--runs', '14'])));
    hopeless.push(...(await taking(['--runs', '3', '--fault', 'corrupt-chunk'])));
    healthy.push(...(await taking(['--runs', '12', '--detectors', 'tpc,neutron_veto,muon_veto'])));
    hopeless.push(...(await taking(['--runs', '2', '--fault', 'no-live-data'])));
    malformed.push(...(await taking(['--runs', '1', '--fault', 'no-data-field'])));
    healthy.push(...(await taking(['--runs', '12', '--detectors', 'neutron_veto'])));
    healthy.push(...(await taking(['--runs', '3', '--mode', 'tpc_kr83m'])));
  })();
  const killing = fleet.killAtRandom(chance, KILLING_SECONDS);
  await Promise.all([daq, killing]);

  const ends = async () => {
    const runs = await lab.runs.find().toArray();
    const isRight = (run: StoredRun): boolean => {
      if (run.number === held) return (run.bootstrax.state ?? null) === null;
      if (run.number === unwanted) return run.bootstrax.state === 'abandoned';
      if (malformed.includes(run.number)) return isSetAside(run);
      if (healthy.includes(run.number)) return isDone(run);
      // Of live data that is missing the reference tries ten times, and ours not at all; of a damaged
      // chunk ours makes raw records of the rest in the end.
      const isIncomplete = run.bootstrax.state === 'done' && 'incomplete' in run.bootstrax;
      return isGivenUp(run) || isSetAside(run) || isIncomplete;
    };
    const bad = runs.filter((run) => !isRight(run));
    return { runs, bad };
  };
  await until('every run to reach its end', async () => (await ends()).bad.length === 0, 200).catch(
    async (error: unknown) => {
      const { bad } = await ends();
      const stories = bad
        .slice(0, 3)
        .map((run) => `run ${run.number}\n${observer.story(run.number)}`);
      throw new Error(
        `${String(error)}: ${bad.map(({ number }) => number).join(' ')}\n${stories.join('\n')}\n${await site.stories()}`,
      );
    },
  );
  await fleet.end();
  await observer.end();

  const { runs } = await ends();
  expect(runs.length).toBeGreaterThanOrEqual(40);
  for (const run of runs.filter(isDone)) expect(missingProducts(run)).toEqual([]);
  // What the reference crashes on it does not hold, whatever the document says.
  const trespasses = observer.writes.filter(
    (write) => trespassed(write) && !malformed.includes(write.run),
  );
  expect(trespasses.map((write) => observer.story(write.run))).toEqual([]);
  expect(observer.writes.filter(countsTooMuch).map(({ run }) => observer.story(run))).toEqual([]);

  const by = (hosts: readonly string[]) =>
    runs.filter((run) => hosts.includes(run.bootstrax.host ?? '')).length;
  const takenOver = observer.writes.filter(
    ({ before, after }) =>
      (before.state === 'busy' || before.state === 'considering') &&
      before.host !== null &&
      after.host !== null &&
      before.host !== after.host,
  ).length;
  console.log(
    `${runs.length} runs: ${by(REFERENCE_HOSTS)} ended by the reference, ${by(OUR_HOSTS)} by ours; ` +
      `kills: ${fleet.kills.reference} of the reference, ${fleet.kills.ours} of ours; ` +
      `${takenOver} runs taken from a silent holder`,
  );
  expect(observer.writes.filter(({ writer }) => writer === HALF_A_CLAIM).length).toBeGreaterThan(9);
  expect(observer.writes.filter(({ writer }) => isOurs(writer)).length).toBeGreaterThan(9);
  expect(by(REFERENCE_HOSTS)).toBeGreaterThan(0);
  expect(by(OUR_HOSTS)).toBeGreaterThan(0);
  expect(fleet.kills.reference).toBeGreaterThan(2);
  expect(fleet.kills.ours).toBeGreaterThan(2);
}, 360_000);

/** Ours wrote to a run that the reference held, before its lease was over. */
function trespassed({ at, writer, before }: Write): boolean {
  if (!isOurs(writer)) return false;
  if (before.state !== 'considering' && before.state !== 'busy') return false;
  return before.writer !== null && !isOurs(before.writer) && at - before.at < LEASE_MS - LATE_MS;
}

function isOurs(writer: string | null): boolean {
  return writer !== null && writer !== HALF_A_CLAIM && !REFERENCE_HOSTS.includes(writer);
}

/** Counts rise by one, with a failure, and never beyond ten. */
function countsTooMuch({ before, after }: Write): boolean {
  const more = after.failures - before.failures;
  return more > 1 || after.failures > 10 || (more === 1 && after.state !== 'failed');
}

function isDone({ bootstrax, status }: StoredRun): boolean {
  return bootstrax.state === 'done' && status === 'eb_finished_pre';
}

function isGivenUp({ bootstrax }: StoredRun): boolean {
  return bootstrax.state === 'failed' && bootstrax.n_failures === 10;
}

/** Neither program takes it again, and both leave its data alone. */
function isSetAside({ bootstrax }: StoredRun): boolean {
  return bootstrax.state === 'failed' && bootstrax.next_retry === undefined;
}

/** Runs like this one, without data, tagged. */
async function insertTagged(like: number, tags: Record<number, string>): Promise<void> {
  const { _id: _, ...run } = await site.lab.run(like);
  await site.lab.insertRuns(
    ...Object.entries(tags).map(([number, name]) => ({
      ...run,
      number: Number(number),
      tags: [{ name, user: 'shifter', date: new Date() }],
    })),
  );
}

/** Entries of the host that has the run whose folders are not there; all if there are none. */
function missingProducts({ bootstrax, data, number }: StoredRun): string[] {
  const entries = data.filter(({ host }) => host === bootstrax.host);
  if (entries.length === 0) return [`run ${number} has no entry of ${bootstrax.host}`];
  return entries
    .map(({ location }) => String(location))
    .filter((location) => !existsSync(join(location)));
}

/** The managers of both kinds. */
class Fleet {
  readonly kills = { reference: 0, ours: 0 };
  readonly #references = new Map<string, ReferenceManager>();
  readonly #ours = new Map<string, ManagerProcess>();
  #started = 0;
  #over = false;

  async startReference(host: string): Promise<void> {
    const manager = await site.reference(host, {
      times: HASTE.reference,
      seed: this.#started++,
      flags: ['--undying'],
    });
    this.#references.set(host, manager);
  }

  async startOurs(host: string): Promise<void> {
    this.#ours.set(host, await ours(site, host));
  }

  async killAtRandom(chance: () => number, seconds: number): Promise<void> {
    const deadline = performance.now() + seconds * 1000;
    while (performance.now() < deadline) {
      await delay(800 + chance() * 2200);
      if (chance() < 0.55) {
        const host = REFERENCE_HOSTS[Math.floor(chance() * REFERENCE_HOSTS.length)]!;
        await this.#references.get(host)!.kill();
        this.kills.reference++;
        await delay(chance() * 1500);
        await this.startReference(host);
      } else {
        const host = OUR_HOSTS[Math.floor(chance() * OUR_HOSTS.length)]!;
        await this.#ours.get(host)!.kill();
        this.kills.ours++;
        await delay(chance() * 1500);
        await this.startOurs(host);
      }
    }
  }

  async end(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    for (const manager of this.#references.values()) await manager.kill();
    for (const manager of this.#ours.values()) await manager.kill();
  }
}
