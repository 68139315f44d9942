/** One kind of figures, as Prometheus reads it. */
export interface Family {
  /** With its unit; of a counter with `_total`. */
  name: string;
  type: 'counter' | 'gauge' | 'histogram';
  /** One sentence. */
  help: string;
  samples: readonly Sample[];
}

export interface Sample {
  /** What is added to the name: `_bucket`, `_sum`, `_count`. */
  suffix?: string;
  labels?: Readonly<Record<string, string>>;
  value: number;
}

/** The text format, version 0.0.4. Families without samples are left out. */
export function exposition(families: readonly Family[]): string {
  return families
    .filter(({ samples }) => samples.length > 0)
    .map(
      ({ name, type, help, samples }) =>
        `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n` +
        `# TYPE ${name} ${type}\n` +
        samples.map((sample) => `${line(name, sample)}\n`).join(''),
    )
    .join('');
}

export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** A family with one figure that has no labels. */
export function single(
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  value: number | null,
): Family {
  return { name, type, help, samples: value === null ? [] : [{ value }] };
}

/** A family with one figure for each value of a label. */
export function byLabel(
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  { label, values }: { label: string; values: Iterable<readonly [string, number | null]> },
): Family {
  const samples = [...values].flatMap(([of, value]) =>
    value === null ? [] : [{ labels: { [label]: of }, value }],
  );
  return { name, type, help, samples };
}

function line(name: string, { suffix = '', labels = {}, value }: Sample): string {
  const pairs = Object.entries(labels).map(([label, of]) => `${label}="${escaped(of)}"`);
  return `${name}${suffix}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${number(value)}`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function number(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : String(value);
}
