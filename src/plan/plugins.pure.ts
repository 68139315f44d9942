import type { PluginGraph } from '../attempt/attempt.pure.ts';

interface Plugin {
  readonly provides: string[];
  /** Types, direct. */
  readonly dependsOn: Set<string>;
}

/**
 * The plugin graph by plugin: strax runs a plugin as a whole, for all its data types. Types that the
 * graph names but does not describe have no plugin.
 */
export class Plugins {
  readonly #graph: PluginGraph;
  readonly #byName = new Map<string, Plugin>();
  readonly #depths = new Map<string, number>();
  readonly #supports = new Map<string, ReadonlySet<string>>();
  readonly #impliedBy = new Map<string, ReadonlySet<string>>();

  constructor(graph: PluginGraph) {
    this.#graph = graph;
    for (const [type, { plugin, dependsOn }] of Object.entries(graph.types)) {
      const known = this.#byName.get(plugin) ?? { provides: [], dependsOn: new Set() };
      known.provides.push(type);
      for (const dependency of dependsOn) known.dependsOn.add(dependency);
      this.#byName.set(plugin, known);
    }
  }

  /** The plugin that makes a data type. */
  of(type: string): string | undefined {
    return Object.hasOwn(this.#graph.types, type) ? this.#graph.types[type]?.plugin : undefined;
  }

  provides(plugin: string): readonly string[] {
    return this.#byName.get(plugin)?.provides ?? [];
  }

  /** The types that the plugin of a type reads. */
  inputs(type: string): readonly string[] {
    const plugin = this.of(type);
    return plugin === undefined ? [] : [...(this.#byName.get(plugin)?.dependsOn ?? [])];
  }

  /** Whether strax stores a type that is a target. */
  isStored(type: string): boolean {
    return this.isAlwaysStored(type) || this.#graph.types[type]?.saved === 'target';
  }

  /** Whether strax stores a type whenever its plugin runs. */
  isAlwaysStored(type: string): boolean {
    return this.#graph.types[type]?.saved === 'always';
  }

  /** All plugins that must run to make some types. */
  closure(types: Iterable<string>): Set<string> {
    const running = new Set<string>();
    for (const plugin of this.#pluginsOf(types)) {
      if (running.has(plugin)) continue;
      for (const each of this.#support(plugin)) running.add(each);
    }
    return running;
  }

  /** All types that are read, directly or indirectly, to make a type; without that type. */
  implied(type: string): ReadonlySet<string> {
    const known = this.#impliedBy.get(type);
    if (known !== undefined) return known;
    const found = new Set<string>();
    const queue = [...this.inputs(type)];
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      if (found.has(next)) continue;
      found.add(next);
      queue.push(...this.inputs(next));
    }
    this.#impliedBy.set(type, found);
    return found;
  }

  /** The plugins that fulfil a condition, and all that depend on them. */
  resting(condition: (plugin: string) => boolean): Set<string> {
    const lost = new Set([...this.#byName.keys()].filter(condition));
    const rests = (name: string) => [...this.#support(name)].some((plugin) => lost.has(plugin));
    return new Set([...this.#byName.keys()].filter(rests));
  }

  /**
   * The highest of some plugins that no other of them needs; null if all of those are in `except`. Of two
   * that are equally high the first by name, so that the answer is always the same.
   */
  highest(plugins: ReadonlySet<string>, except: ReadonlySet<string>): string | null {
    const needed = new Set<string>();
    for (const name of plugins) {
      for (const input of this.#byName.get(name)?.dependsOn ?? []) {
        const plugin = this.of(input);
        if (plugin !== undefined && plugin !== name) needed.add(plugin);
      }
    }
    const free = [...plugins].filter((name) => !needed.has(name) && !except.has(name));
    free.sort((a, b) => this.#depth(b) - this.#depth(a) || (a < b ? -1 : 1));
    return free[0] ?? null;
  }

  /** A plugin and all that must run for it. */
  #support(plugin: string): ReadonlySet<string> {
    const known = this.#supports.get(plugin);
    if (known !== undefined) return known;
    const type = this.provides(plugin)[0] ?? '';
    const support = this.#pluginsOf([type, ...this.implied(type)]);
    this.#supports.set(plugin, support);
    return support;
  }

  #pluginsOf(types: Iterable<string>): Set<string> {
    const plugins = new Set<string>();
    for (const type of types) {
      const plugin = this.of(type);
      if (plugin !== undefined) plugins.add(plugin);
    }
    return plugins;
  }

  /** Length of the longest chain of plugins below one. */
  #depth(plugin: string): number {
    const known = this.#depths.get(plugin);
    if (known !== undefined) return known;
    this.#depths.set(plugin, 0); // Ends a search that goes round, which no sound graph does.
    const inputs = this.#pluginsOf(this.#byName.get(plugin)?.dependsOn ?? []);
    const depth = 1 + Math.max(0, ...[...inputs].map((name) => this.#depth(name)));
    this.#depths.set(plugin, depth);
    return depth;
  }
}
