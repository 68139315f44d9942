import { duration } from '../../src/infra/values/amounts.pure.ts';

/** `12 ms`, `3.4 s`; from two minutes on as `duration`. */
export function precisely(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  return seconds < 120 ? `${seconds.toFixed(1)} s` : duration(seconds);
}

/** `0:10:00`, hours, minutes and seconds, for columns. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (number: number) => String(number).padStart(2, '0');
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

export function percent(value: number): string {
  return `${value < 10 && value > 0 ? value.toFixed(1) : Math.round(value)} %`;
}

/** In the reader's own zone, named. */
export function local(date: Date): string {
  return date.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'long' });
}

export { counted as count } from '../../src/infra/values/counted.pure.ts';
export { bytes, duration, roughly } from '../../src/infra/values/amounts.pure.ts';
export { utcToTheSecond as utc } from '../../src/infra/values/utc.pure.ts';
