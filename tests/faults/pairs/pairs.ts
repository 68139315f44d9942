import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, symlink } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import type { Document } from 'mongodb';

import { killProcessesOf } from '../../support/processes.ts';
import { Site } from '../../toolchain/site.ts';
import { playRound, type RoundReport } from './round.ts';
import { roundPlan, type SeatPlan, type Spelling } from './round-plan.ts';
import { Seat } from './seat.ts';

const TAKE = ['--seconds', '6', '--chunk-seconds', '1', '--speed', '0', '--rate', '5'];
const RUNS_A_ROUND = 2;

/** A server and live data with which round after round is played. */
export class Pairs {
  #runs = 0;

  readonly #site: Site;
  readonly #template: Document;
  readonly #relay: Server;

  private constructor(
    site: Site,
    /** A run that was taken, without what processing would add. */
    template: Document,
    relay: Server,
  ) {
    this.#site = site;
    this.#template = template;
    this.#relay = relay;
  }

  static async start(): Promise<Pairs> {
    const site = await Site.start();
    const { lab } = site;
    const [number] = await lab.takeRuns(TAKE);
    const { _id, ...template } = await lab.run(number!);
    await lab.runs.deleteMany({});
    const { hostname, port } = new URL(lab.url);
    // From a network name space of its own a manager reaches the server by a file alone.
    const relay = createServer((near) => {
      const far = connect(Number(port), hostname);
      near.pipe(far).pipe(near);
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        one.on('error', () => other.destroy());
      }
    });
    relay.listen(join(lab.root, 'server.sock'));
    await once(relay, 'listening');
    return new Pairs(site, template, relay);
  }

  async round(seed: number): Promise<RoundReport> {
    const plan = roundPlan(seed, { mayUnshare });
    const { lab } = this.#site;
    const root = join(lab.root, `round-${seed}`);
    await mkdir(root);
    const hosts = [0, 1].map((which) => `eb${which}-${seed}.test.local`);
    const seatOf = ({ kind, host, output, state, spelling, isApart }: SeatPlan) =>
      new Seat(this.#site, {
        ...{ kind, isApart, host: hosts[host]! },
        output: join(root, `output-${output}`),
        stateDir: join(root, `state-${state}`),
        url: this.#url(spelling),
      });
    const [one, two] = plan.seats;
    const numbers = await this.#insertRuns();
    const seats = [seatOf(one), seatOf(two)] as const;
    try {
      return await playRound({ lab, seed, plan, seats, numbers });
    } finally {
      for (const seat of seats) seat.close();
      // What strax runs in outlives its manager, and writes until it is gone.
      await killProcessesOf(root);
      await lab.runs.deleteMany({ number: { $in: numbers } });
      await lab.runsDatabase.collection('bootstrax').deleteMany({ host: { $in: hosts } });
      await rm(root, { recursive: true, force: true });
    }
  }

  async end(): Promise<void> {
    await this.#site.end();
    this.#relay.close();
  }

  /** Runs that ended a moment ago, all with the same live data. */
  async #insertRuns(): Promise<number[]> {
    const { lab } = this.#site;
    const first = Number(this.#template['number']);
    const runId = (number: number) => String(number).padStart(6, '0');
    const numbers: number[] = [];
    for (let i = 0; i < RUNS_A_ROUND; i++) {
      const number = first + 100 + this.#runs++;
      await symlink(join(lab.live, runId(first)), join(lab.live, runId(number)));
      await lab.insertRuns({ ...structuredClone(this.#template), number });
      numbers.push(number);
    }
    return numbers;
  }

  #url(spelling: Spelling): string {
    const { url, root } = this.#site.lab;
    const { port } = new URL(url);
    switch (spelling) {
      case 'address':
        return url;
      case 'localhost':
        return `mongodb://localhost:${port}/`;
      case 'upper case':
        return `mongodb://LOCALHOST:${port}/`;
      case 'two names':
        return `mongodb://127.0.0.1:${port},localhost:${port}/`;
      case 'socket':
        return `mongodb://${encodeURIComponent(join(root, 'server.sock'))}/?directConnection=true`;
    }
  }
}

/** Without the right to it managers share the network of this process. */
const mayUnshare = spawnSync('unshare', ['-n', 'true']).status === 0;
