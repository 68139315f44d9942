import type { PluginGraph } from '../attempt/attempt.pure.ts';
import type { TargetRules } from '../infra/config/rules.pure.ts';
import { dropped, suitsDetectors } from '../infra/config/type-names.pure.ts';
import { Plugins } from './plugins.pure.ts';

interface Lists {
  targets: readonly string[];
  postProcessing: readonly string[];
}

export interface ShedInputs {
  /** What the run would get without failures. */
  wanted: Lists;
  detectors: readonly string[];
  /** Counted failures: the rung. */
  failures: number;
  graph: PluginGraph;
  /** Types named by counted failures; `failures` includes the failure that named it. */
  culprits: readonly { type: string; failures: number }[];
  /** Those of the counted failures, by number from 1, after which fewer plugins would not help. */
  futile?: readonly number[];
}

function lastResortAlone({ lastResort }: TargetRules): Lists {
  return { targets: [lastResort], postProcessing: [lastResort] };
}

/**
 * What is asked for on a rung of the graded ladder. The rungs above it are walked down one by one,
 * so that what was shed once never comes back and each rung computes fewer plugins than the one
 * before. A failure that shedding cannot prevent takes no rung, until by their count only the last resort (`raw_records`) is made.
 */
export function shed(inputs: ShedInputs, rules: TargetRules): Lists {
  if (inputs.failures >= rules.rawRecordsAfter) return lastResortAlone(rules);
  const { futile = [] } = inputs;
  const rungAfter = (failures: number) => failures - futile.filter((n) => n <= failures).length;
  const culprits = inputs.culprits
    .filter(({ failures }) => !futile.includes(failures))
    .map(({ type, failures }) => ({ type, failures: rungAfter(failures) }));
  const ladder = new Ladder({ ...inputs, culprits }, rules);
  let lists = inputs.wanted;
  for (let rung = 1; rung <= rungAfter(inputs.failures); rung++) lists = ladder.down(lists, rung);
  return lists;
}

class Ladder {
  readonly #inputs: ShedInputs;
  readonly #rules: TargetRules;
  readonly #plugins: Plugins;
  /** Plugins that stay away: culprits, and those that were shed to make a rung smaller. */
  readonly #gone = new Set<string>();
  /** What the last resort alone costs. */
  readonly #floor: ReadonlySet<string>;
  /** How many plugins go on a rung for which neither a culprit nor the table takes any. */
  readonly #step: number;

  constructor(inputs: ShedInputs, rules: TargetRules) {
    this.#inputs = inputs;
    this.#rules = rules;
    this.#plugins = new Plugins(inputs.graph);
    this.#floor = this.#plugins.closure([rules.lastResort]);
    this.#step = Math.ceil(this.#computed(inputs.wanted).size / rules.rawRecordsAfter);
  }

  /** From the lists of the previous rung to those of `rung`. */
  down(before: Lists, rung: number): Lists {
    for (const { type, failures } of this.#inputs.culprits) {
      const plugin = this.#plugins.of(type);
      if (failures <= rung && plugin !== undefined) this.#gone.add(plugin);
    }
    const size = this.#computed(before).size;
    let lists = this.#without(before, rung);
    if (this.#computed(lists).size >= size) {
      for (
        let top = this.#highest(lists);
        top !== null && this.#computed(lists).size > size - this.#step;
        top = this.#highest(lists)
      ) {
        this.#gone.add(top);
        lists = this.#without(lists, rung);
      }
    }
    const isRawOnly = [...this.#computed(lists)].every((plugin) => this.#floor.has(plugin));
    return isRawOnly ? lastResortAlone(this.#rules) : lists;
  }

  #computed({ targets, postProcessing }: Lists): Set<string> {
    return this.#plugins.closure([...targets, ...postProcessing]);
  }

  #highest(lists: Lists): string | null {
    return this.#plugins.highest(this.#computed(lists), this.#floor);
  }

  /** The lists without what may not be computed on a rung; what that was made of takes its place. */
  #without(lists: Lists, rung: number): Lists {
    const lost = this.#plugins.resting(
      (plugin) =>
        this.#gone.has(plugin) ||
        this.#plugins.provides(plugin).some((type) => dropped(type, rung, this.#rules.ladder)),
    );
    const isLost = (type: string) => lost.has(this.#plugins.of(type) ?? '');
    const targets = this.#replace(lists.targets, isLost);
    const postProcessing = this.#replace(lists.postProcessing, isLost);
    const { wanted } = this.#inputs;
    const made = this.#madeAnyway([...targets, ...postProcessing]);
    // A wanted type is asked for by name; one that takes another's place only if nothing else makes it.
    const keptTargets = targets.filter(
      (type) =>
        wanted.targets.includes(type) || !(made.has(type) || wanted.postProcessing.includes(type)),
    );
    const keptPost = postProcessing.filter(
      (type) =>
        wanted.postProcessing.includes(type) || !(made.has(type) || keptTargets.includes(type)),
    );
    return {
      targets: this.#orLastResort(keptTargets),
      postProcessing: this.#orLastResort(keptPost),
    };
  }

  /** Types that are made on the way to some types, whether asked for or not. */
  #madeAnyway(types: readonly string[]): Set<string> {
    const read = new Set(types.flatMap((type) => [...this.#plugins.implied(type)]));
    const running = this.#plugins.closure(read);
    const stored = [...running].flatMap((plugin) =>
      this.#plugins.provides(plugin).filter((type) => this.#plugins.isAlwaysStored(type)),
    );
    return new Set([...read, ...stored]);
  }

  /** Puts in the place of each lost type the nearest types below it that can be made and stored. */
  #replace(types: readonly string[], isLost: (type: string) => boolean): string[] {
    const found = new Set<string>();
    const seen = new Set<string>();
    const descend = (type: string) => {
      for (const input of this.#plugins.inputs(type)) {
        if (seen.has(input)) continue;
        seen.add(input);
        const usable =
          !isLost(input) &&
          this.#plugins.isStored(input) &&
          suitsDetectors(input, this.#inputs.detectors, this.#rules.detectors);
        if (usable) found.add(input);
        else descend(input);
      }
    };
    for (const type of types) {
      if (isLost(type)) descend(type);
      else found.add(type);
    }
    return [...found];
  }

  #orLastResort(types: string[]): string[] {
    return types.length > 0 ? types : [this.#rules.lastResort];
  }
}
