import type uPlot from 'uplot';

import { short } from './numbers.ts';

const FONT = '12px system-ui, sans-serif';

/** A custom property of the page, as a colour. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** An axis with its label; on a logarithmic scale only powers of ten have numbers, if there are any. */
export function numberAxis(label: string, log: boolean, size: number): uPlot.Axis {
  return {
    ...look(),
    label,
    labelFont: FONT,
    labelSize: 18,
    size,
    values: (_chart, ticks) => {
      const powers = log ? ticks.filter(isPowerOfTen).length : 0;
      const every = powers > 5 ? 2 : 1;
      return ticks.map((tick) => {
        if (!log) return short(tick);
        if (isPowerOfTen(tick)) return exponentOf(tick) % every === 0 ? power(tick) : '';
        return powers < 2 && ['1', '2', '5'].includes(firstDigit(tick)) ? short(tick) : '';
      });
    },
  };
}

/** An axis of clock times, UTC. */
export function timeAxis(): uPlot.Axis {
  return {
    ...look(),
    label: 'UTC',
    labelFont: FONT,
    labelSize: 18,
    size: 34,
    space: 70,
    values: (_chart, ticks) =>
      ticks.map((tick) => new Date(tick * 1000).toISOString().slice(11, 19)),
  };
}

function look(): uPlot.Axis {
  return {
    stroke: colour('--quiet'),
    font: FONT,
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
  };
}

function isPowerOfTen(value: number): boolean {
  return Math.abs(Math.log10(value) - exponentOf(value)) < 1e-6;
}

function exponentOf(value: number): number {
  return Math.round(Math.log10(value));
}

function firstDigit(value: number): string {
  return value.toExponential(0).slice(0, 1);
}

const RAISED = '⁰¹²³⁴⁵⁶⁷⁸⁹';

function power(value: number): string {
  const exponent = exponentOf(value);
  if (exponent >= -2 && exponent <= 3) return short(value);
  const digits = [...String(Math.abs(exponent))].map((digit) => RAISED[Number(digit)] ?? '');
  return `10${exponent < 0 ? '⁻' : ''}${digits.join('')}`;
}
