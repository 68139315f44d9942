import { useState } from 'preact/hooks';
import type uPlot from 'uplot';

import {
  type Axis,
  edgesOf,
  type Picture,
  shownValues,
} from '../../../src/features/pictures/pictures.pure.ts';
import { numberAxis } from './axes.ts';
import { Chart } from './chart.tsx';
import { scaleColour } from './colour-scale.ts';
import { short, withUnit } from './numbers.ts';

interface HeatChartProps {
  picture: Picture;
  x: Axis;
  y: Axis;
  onCanvas: (canvas: HTMLCanvasElement | null) => void;
}

interface Heat {
  values: (number | null)[];
  low: number;
  high: number;
  log: boolean;
}

/** Counts over two axes, by colour. */
export function HeatChart({ picture, x, y, onCanvas }: HeatChartProps) {
  const [under, setUnder] = useState<string | null>(null);
  const heat = heatOf(picture);
  const shape = JSON.stringify([picture.name, x, y]);
  // The chart is made once: what it draws is read anew each time.
  holder.set(shape, heat);
  return (
    <>
      <Chart
        label={`${picture.title}: ${picture.entries} entries, ${picture.outside} outside`}
        shape={shape}
        data={[
          [x.low, x.high],
          [y.low, y.high],
        ]}
        options={() => optionsOf({ shape, x, y, onHover: setUnder, unit: picture.value.unit })}
        onCanvas={onCanvas}
      />
      <ColourBar heat={heat} label={withUnit(picture.value.label, picture.value.unit)} />
      <p class="picture-under num" aria-hidden="true">
        {under ?? ' '}
      </p>
    </>
  );
}

const holder = new Map<string, Heat>();

function heatOf(picture: Picture): Heat {
  const [line] = picture.lines;
  const values = line === undefined ? [] : shownValues(picture, line);
  const filled = values.filter((value): value is number => value !== null && value > 0);
  return {
    values,
    low: filled.reduce((least, value) => Math.min(least, value), Infinity),
    high: filled.reduce((most, value) => Math.max(most, value), 0),
    log: picture.value.log,
  };
}

function shareOf(value: number, { low, high, log }: Heat): number {
  if (high <= low) return 1;
  return log ? Math.log(value / low) / Math.log(high / low) : value / high;
}

interface Drawn {
  shape: string;
  x: Axis;
  y: Axis;
  unit: string;
  onHover: (text: string | null) => void;
}

function optionsOf(drawn: Drawn): Omit<uPlot.Options, 'width' | 'height'> {
  const { x, y } = drawn;
  const scale = (axis: Axis): uPlot.Scale => ({
    time: false,
    distr: axis.log ? 3 : 1,
    range: (): uPlot.Range.MinMax => [axis.low, axis.high],
  });
  return {
    padding: [10, 22, 0, 0],
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { show: false } },
    scales: { x: scale(x), y: scale(y) },
    axes: [
      numberAxis(withUnit(x.label, x.unit), x.log, 36),
      numberAxis(withUnit(y.label, y.unit), y.log, 62),
    ],
    series: [{}, { paths: () => null, points: { show: false } }],
    hooks: {
      drawAxes: [(chart) => drawCells(chart, drawn)],
      setCursor: [(chart) => drawn.onHover(underCursor(chart, drawn))],
    },
  };
}

function drawCells(chart: uPlot, { shape, x, y }: Drawn): void {
  const heat = holder.get(shape);
  if (heat === undefined) return;
  const across = edgesOf(x).map((edge) => chart.valToPos(edge, 'x', true));
  const up = edgesOf(y).map((edge) => chart.valToPos(edge, 'y', true));
  const { ctx } = chart;
  ctx.save();
  for (let i = 0; i < x.bins; i++) {
    for (let j = 0; j < y.bins; j++) {
      const value = heat.values[i * y.bins + j] ?? 0;
      if (value <= 0) continue;
      const [left, right, low, high] = [across[i], across[i + 1], up[j], up[j + 1]];
      if (left === undefined || right === undefined || low === undefined || high === undefined) {
        continue;
      }
      ctx.fillStyle = scaleColour(shareOf(value, heat));
      ctx.fillRect(left, high, Math.ceil(right - left), Math.ceil(low - high));
    }
  }
  ctx.restore();
}

function underCursor(chart: uPlot, { shape, x, y, unit }: Drawn): string | null {
  const { left, top } = chart.cursor;
  const heat = holder.get(shape);
  if (left == null || top == null || left < 0 || heat === undefined) return null;
  const i = binAt(chart.posToVal(left, 'x'), x);
  const j = binAt(chart.posToVal(top, 'y'), y);
  if (i === null || j === null) return null;
  const [xs, ys] = [edgesOf(x), edgesOf(y)];
  const range = (edges: number[], bin: number, of: Axis) =>
    `${of.label} ${short(edges[bin] ?? 0)} to ${short(edges[bin + 1] ?? 0)} ${of.unit}`;
  const value = heat.values[i * y.bins + j] ?? 0;
  return `${range(xs, i, x)}, ${range(ys, j, y)}: ${short(value)} ${unit}`;
}

function binAt(value: number, { low, high, bins, log }: Axis): number | null {
  const share = log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
  return share >= 0 && share < 1 ? Math.floor(share * bins) : null;
}

const BAR_STEPS = 24;

function ColourBar({ heat, label }: { heat: Heat; label: string }) {
  if (heat.high === 0) return null;
  return (
    <div class="colour-bar">
      <span class="num">{short(heat.log ? heat.low : 0)}</span>
      <svg viewBox={`0 0 ${BAR_STEPS} 1`} preserveAspectRatio="none" aria-hidden="true">
        {Array.from({ length: BAR_STEPS }, (_, i) => (
          <rect key={i} x={i} width="1.05" height="1" fill={scaleColour(i / (BAR_STEPS - 1))} />
        ))}
      </svg>
      <span class="num">{short(heat.high)}</span>
      <span class="quiet">{label}</span>
    </div>
  );
}
