import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

import { type Seeds, tallyOf, tallyOfMany } from './many.ts';
import type { Options } from './options.ts';
import { withReferenceOrder } from './reference-order.ts';
import { simulate } from './simulation.ts';
import { worldNamed, WORLDS } from './worlds.ts';

const USAGE = `usage: npm run simulate -- [--seed N | --from N --count N] [--control]
  --seed N     one night, with all that happens in it
  --count N    this many, from --from on, and what went wrong in them
  --jobs N     processes at a time; one a core by default
  --world NAME each of them such a night: ${WORLDS.join(', ')}
  --control    with the order of writes of the program before this one`;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    from: { type: 'string', default: '0' },
    count: { type: 'string', default: '10000' },
    jobs: { type: 'string', default: String(availableParallelism()) },
    /** One of the processes among which --count nights are shared out. */
    slice: { type: 'boolean', default: false },
    world: { type: 'string', multiple: true },
    control: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const options: Options = {
  ...(values.control ? { storeOf: withReferenceOrder, goOn: true } : {}),
  ...(values.world === undefined ? {} : { worlds: values.world.map(worldNamed) }),
};

if (values.help) {
  console.log(USAGE);
} else if (values.seed !== undefined) {
  const outcome = await simulate(Number(values.seed), { trace: true, ...options });
  console.log(outcome.trace.join('\n'));
  console.log({ ...outcome, trace: undefined });
  process.exitCode = outcome.violations.length === 0 ? 0 : 1;
} else {
  const seeds = { from: Number(values.from), count: Number(values.count) };
  if (values.slice) process.send?.(await tallyOf(seeds, options));
  else await many(seeds);
}

async function many(seeds: Seeds): Promise<void> {
  const begin = performance.now();
  const passedOn = [
    ...(values.world ?? []).flatMap((name) => ['--world', name]),
    ...(values.control ? ['--control'] : []),
  ];
  const tally = await tallyOfMany(seeds, Number(values.jobs), passedOn);
  const seconds = (performance.now() - begin) / 1000;
  const each = (all: number) => (all / tally.seeds).toFixed(0);
  const kinds = new Map<string, number[]>();
  for (const { invariant, seed } of tally.violations) {
    kinds.set(invariant, [...(kinds.get(invariant) ?? []), seed]);
  }
  const bad = new Set(tally.violations.map(({ seed }) => seed)).size;
  console.log(
    `${tally.seeds} seeds, ${bad} with violations, in ${seconds.toFixed(0)} s; ${each(tally.events)} events and ${each(tally.simulatedSeconds)} simulated seconds a seed`,
  );
  console.log(tally.ends);
  for (const [kind, of] of kinds) {
    console.log(`${kind}: ${of.length} (${of.slice(0, 12).join(', ')})`);
  }
  process.exitCode = bad === 0 ? 0 : 1;
}
