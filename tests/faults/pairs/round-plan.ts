import { draws } from '../chaos/schedule.ts';

/** Ways to write the address of one server; `socket` leads out of a network name space. */
export const SPELLINGS = ['address', 'localhost', 'upper case', 'two names', 'socket'] as const;
export type Spelling = (typeof SPELLINGS)[number];

export const BLOWS = { killed: 3, ended: 1, stopped: 3, 'child killed': 1 } as const;
export type BlowKind = keyof typeof BLOWS;

/** One thing that is done to one of the two managers. */
export interface Blow {
  atSeconds: number;
  seat: 0 | 1;
  kind: BlowKind;
  /** How long it stands still, or until it is started again; null: not before the round's end. */
  seconds: number | null;
}

export interface SeatPlan {
  kind: 'ours' | 'reference';
  /** Which of two host names, output folders and state folders. */
  host: 0 | 1;
  output: 0 | 1;
  state: 0 | 1;
  spelling: Spelling;
  /** It sees no network but the server's socket. */
  isApart: boolean;
  startsAfterSeconds: number;
}

/** Two managers of any kinds, and what happens to them. */
export interface RoundPlan {
  seats: readonly [SeatPlan, SeatPlan];
  blows: readonly Blow[];
}

/** How long managers are killed and stopped, seconds; and a lease of both programs. */
const FAULT_SECONDS = 9;
const LEASE_SECONDS = 6;

/** The same for the same seed. `mayUnshare`: managers may be started in network name spaces. */
export function roundPlan(seed: number, { mayUnshare }: { mayUnshare: boolean }): RoundPlan {
  const draw = draws(seed);
  const chance = (part: number) => draw() < part;
  const one = () => (chance(0.5) ? 1 : 0);
  // Two of the reference are its own affair.
  const other = chance(0.4) ? 'reference' : 'ours';
  const [sameHost, sameOutput, sameState] = [chance(0.4), chance(0.7), chance(0.4)];
  const seat = (kind: SeatPlan['kind'], isSecond: boolean): SeatPlan => {
    const apart = chance(0.25) && kind === 'ours' && mayUnshare;
    const spelling = SPELLINGS[Math.floor(draw() * SPELLINGS.length)] ?? 'address';
    return {
      kind,
      host: isSecond && !sameHost ? 1 : 0,
      output: isSecond && !sameOutput ? 1 : 0,
      state: isSecond && !sameState ? 1 : 0,
      spelling: apart ? 'socket' : spelling,
      isApart: apart,
      startsAfterSeconds: chance(0.5) ? 0 : 3 * draw(),
    };
  };
  const seats = [seat('ours', false), seat(other, true)] as const;
  const blows: Blow[] = [];
  for (let atSeconds = 0.5 + 2 * draw(); atSeconds < FAULT_SECONDS; atSeconds += 0.3 + 3 * draw()) {
    const kind = kindOf(draw());
    // From well within a lease to long past it.
    const seconds = kind === 'stopped' ? (0.1 + 1.9 * draw()) * LEASE_SECONDS : 4 * draw();
    blows.push({ atSeconds, seat: one(), kind, seconds: chance(0.2) ? null : seconds });
  }
  return { seats, blows };
}

function kindOf(drawn: number): BlowKind {
  const kinds = Object.entries(BLOWS) as [BlowKind, number][];
  let rest = drawn * kinds.reduce((sum, [, weight]) => sum + weight, 0);
  return kinds.find(([, weight]) => (rest -= weight) < 0)?.[0] ?? 'killed';
}

/** For a person. */
export function describeRound({ seats, blows }: RoundPlan): string {
  const [one, two] = seats;
  const same = (what: 'host' | 'output' | 'state') => (one[what] === two[what] ? 'same' : 'other');
  const who = seats.map(({ kind, spelling, isApart }) =>
    kind === 'ours' ? `ours (${spelling}${isApart ? ', own network' : ''})` : kind,
  );
  const where = `${same('host')} host, ${same('output')} output, ${same('state')} state`;
  const what = blows.map(({ seat, kind, seconds }) => {
    const length = seconds === null ? '' : ` ${seconds.toFixed(1)} s`;
    return `${seat === 0 ? 'first' : 'second'} ${kind}${length}`;
  });
  return `${who.join(' and ')}, ${where}: ${what.join(', ')}`;
}
