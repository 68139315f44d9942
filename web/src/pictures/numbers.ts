/** A number of a picture, short: three digits, with powers of ten where it is very large or small. */
export function short(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-3) return value.toExponential(1).replace('e+', 'e');
  if (size >= 1000) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}

/** A label with its unit. */
export function withUnit(label: string, unit: string): string {
  return unit === '' ? label : `${label} [${unit}]`;
}
