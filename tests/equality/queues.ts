import type { Document } from 'mongodb';

/** A small queue of runs and the heartbeats of the fleet, by a seed. Times in ms since 1970. */
export interface Queue {
  runs: Document[];
  signs: Document[];
}

const MINUTE = 60_000;

/** Small, quick, the same everywhere (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `now` by the server's clock. */
export function queueOf(seed: number, now: number): Queue {
  const random = randomFrom(seed);
  const chance = (probability: number) => random() < probability;
  const one = <T>(...values: T[]): T => values[Math.floor(random() * values.length)] as T;
  // Few new runs leave a backup host idle, many call it.
  const freshness = one(0.1, 0.3, 0.6);
  const runs = Array.from({ length: 4 + Math.floor(random() * 12) }, (_, i) => {
    const age = chance(0.15) ? 400 + random() * 900 : 5 + random() * 300;
    return {
      number: 1000 * (seed % 1000) + i,
      mode: one('tpc_bkg', 'tpc_kr83m', 'pmtgain'),
      detectors: one(['tpc'], ['tpc', 'neutron_veto', 'muon_veto'], ['muon_veto']),
      // No two alike: the order of runs that began at the same time is left to the server.
      start: new Date(now - Math.floor(age * MINUTE) + i),
      end: null,
      ...(chance(0.2) ? { tags: [{ name: one('hold-processing', 'abandon', 'messy') }] } : {}),
      ...(chance(0.07) ? one({ daq_config: null }, { end: 'soon' }) : { daq_config: DAQ_CONFIG }),
      data: [{ type: 'live', host: 'daq', location: '/live_data/xenonnt' }],
      ...bootstraxOf(random, now, freshness),
    };
  });
  const hosts = [0, 1, 3, 4, 5].filter(() => chance(0.3));
  return {
    runs,
    signs: hosts.map((i) => ({
      host: `eb${i}.xenon.local`,
      // Never one of a process that lives: its namesake would be ended.
      pid: 0,
      state: one('idle', 'busy', 'busy', 'disk full', 'dead_bootstrax'),
      time: new Date(now - one(5, 20, 200, 400, 4000) * 1000),
    })),
  };
}

const DAQ_CONFIG = {
  processing_threads: { reader0_reader_0: 2 },
  strax_chunk_length: 5,
  strax_chunk_overlap: 0.5,
};

function bootstraxOf(random: () => number, now: number, freshness: number): Document {
  if (random() < freshness) return random() < 0.5 ? {} : { bootstrax: { state: null } };
  const time = new Date(now - Math.floor(random() * 10) * MINUTE);
  const base = { host: `eb${3 + Math.floor(random() * 3)}.xenon.local`, time };
  switch (Math.floor(random() * 8)) {
    case 0:
      return { bootstrax: { ...base, state: 'busy', started_processing: time } };
    case 1:
      return { bootstrax: { ...base, state: 'considering' } };
    case 2:
      return { bootstrax: { ...base, state: 'done', started_processing: time } };
    case 3:
      return { bootstrax: { ...base, state: 'abandoned' } };
    default: {
      // Up to 20 h ago, or an hour from now.
      const minutes =
        random() < 0.3 ? 60 : -Math.floor(random() * (random() < 0.8 ? 300 : 1200)) - 1;
      const failures = Math.floor(random() * 12);
      return {
        bootstrax: {
          ...base,
          state: 'failed',
          started_processing: time,
          ...(random() < 0.1 ? {} : { n_failures: failures }),
          ...(random() < 0.1 ? {} : { next_retry: new Date(now + minutes * MINUTE) }),
        },
      };
    }
  }
}
