import { parseArgs } from 'node:util';

import type { Options } from './options.ts';
import { withReferenceOrder } from './reference-order.ts';
import { simulate } from './simulation.ts';
import { worldNamed, WORLDS } from './worlds.ts';

const USAGE = `usage: npm run simulate -- [--seed N | --from N --count N] [--control]
  --seed N     one night, with all that happens in it
  --count N    so many, from --from on, and what went wrong in them
  --world NAME each of them such a night: ${WORLDS.join(', ')}
  --control    with the order of writes of the program before this one`;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    from: { type: 'string', default: '0' },
    count: { type: 'string', default: '10000' },
    world: { type: 'string', multiple: true },
    control: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const control: Options = {
  ...(values.control ? { storeOf: withReferenceOrder, goOn: true } : {}),
  ...(values.world === undefined ? {} : { worlds: values.world.map(worldNamed) }),
};

if (values.help) {
  console.log(USAGE);
} else if (values.seed !== undefined) {
  const outcome = await simulate(Number(values.seed), { trace: true, ...control });
  console.log(outcome.trace.join('\n'));
  console.log({ ...outcome, trace: undefined });
  process.exitCode = outcome.violations.length === 0 ? 0 : 1;
} else {
  await many(Number(values.from), Number(values.count));
}

async function many(from: number, count: number): Promise<void> {
  const begin = performance.now();
  let events = 0;
  let seconds = 0;
  let bad = 0;
  const kinds = new Map<string, number[]>();
  const ends: Record<string, number> = {};
  for (let seed = from; seed < from + count; seed++) {
    const outcome = await simulate(seed, control);
    events += outcome.events;
    seconds += outcome.seconds;
    for (const [end, n] of Object.entries(outcome.ends)) ends[end] = (ends[end] ?? 0) + n;
    if (outcome.violations.length === 0) continue;
    bad++;
    for (const { invariant, what } of values.control
      ? outcome.violations
      : outcome.violations.slice(0, 1)) {
      if (bad <= 20 && !values.control) console.log(`seed ${seed}: ${invariant}: ${what}`);
      kinds.set(invariant, [...(kinds.get(invariant) ?? []), seed]);
    }
  }
  const ms = performance.now() - begin;
  console.log(
    `${count} seeds, ${bad} with violations; ${(ms / count).toFixed(1)} ms, ${(events / count).toFixed(0)} events and ${(seconds / count).toFixed(0)} simulated seconds a seed`,
  );
  console.log(ends);
  for (const [kind, seeds] of kinds) {
    console.log(`${kind}: ${seeds.length} (${seeds.slice(0, 12).join(', ')})`);
  }
  process.exitCode = bad === 0 ? 0 : 1;
}
