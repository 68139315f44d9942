import type { Family, Sample } from './exposition.pure.ts';

/** Counts observations in buckets; `bounds` are their upper ends, rising. */
export class Histogram {
  readonly #bounds: readonly number[];
  /** One more than bounds: the last one has no end. */
  readonly #counts: number[];
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Array<number>(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    const bucket = this.#bounds.findIndex((bound) => value <= bound);
    const index = bucket === -1 ? this.#bounds.length : bucket;
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#sum += value;
  }

  samples(labels: Readonly<Record<string, string>> = {}): Sample[] {
    let count = 0;
    const buckets = [...this.#bounds, Infinity].map((bound, i) => {
      count += this.#counts[i] ?? 0;
      const le = bound === Infinity ? '+Inf' : String(bound);
      return { suffix: '_bucket', labels: { ...labels, le }, value: count };
    });
    return [
      ...buckets,
      { suffix: '_sum', labels, value: this.#sum },
      { suffix: '_count', labels, value: count },
    ];
  }

  family(name: string, help: string): Family {
    return { name, type: 'histogram', help, samples: this.samples() };
  }
}
