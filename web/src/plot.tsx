import 'uplot/dist/uPlot.min.css';

import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';

import { onTheme } from './theme.ts';

export interface Series {
  label: string;
  values: (number | null)[];
  /** Name of a custom property. */
  colour: string;
  /** A dash pattern, to tell the lines apart without colour. */
  dash?: number[];
  fill?: boolean;
  bars?: boolean;
  /** Drawn on the right axis. */
  right?: boolean;
}

interface PlotProps {
  title: string;
  /** Unit of the left axis; empty where its ticks say it. */
  unit: string;
  rightUnit?: string;
  /** Seconds since 1970, or since a start if `elapsed`. */
  at: number[];
  series: Series[];
  elapsed?: boolean;
  height?: number;
  /** Bars on top of each other. */
  stacked?: boolean;
  format?: (value: number) => string;
  rightFormat?: (value: number) => string;
  /** The scale reaches at least to this value. */
  atLeast?: number;
  /** A horizontal line, such as a limit. */
  limit?: { at: number; label: string };
  /** Times without a value, in the unit of `at`: a grey band, and no line across. One may reach beyond the last value. */
  silences?: readonly { from: number; to: number }[];
}

/** A time series with axes and units; the legend reads the values under the cursor. */
export function Plot(props: PlotProps) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const newest = useRef(props);
  newest.current = props;
  // A chart of the same shape only gets new data: nothing jumps.
  const shape = JSON.stringify([
    props.series.map(({ label, colour, bars, right }) => [label, colour, bars, right]),
    ...[props.unit, props.rightUnit, props.elapsed, props.stacked, props.height, props.limit],
    // Each changes how the lines are drawn; the end of one that lasts only moves.
    props.silences?.map(({ from }) => from),
  ]);

  // Before the page is painted: the chart is there with its page, and moves nothing.
  useLayoutEffect(() => {
    const element = place.current;
    if (element === null) return;
    const draw = () => {
      chart.current?.destroy();
      chart.current = new uPlot(
        optionsOf(newest.current, element, () => newest.current),
        dataOf(newest.current),
        element,
      );
    };
    draw();
    const forget = onTheme(draw);
    const observer = new ResizeObserver(() => {
      chart.current?.setSize({
        width: element.clientWidth,
        height: newest.current.height ?? DEFAULT_HEIGHT,
      });
    });
    observer.observe(element);
    return () => {
      forget();
      observer.disconnect();
      chart.current?.destroy();
      chart.current = null;
    };
  }, [shape]);

  useEffect(() => {
    chart.current?.setData(dataOf(props));
  }, [props.at, props.series, props.silences]);

  return (
    <figure class="plot">
      <figcaption>{props.title}</figcaption>
      <div ref={place} role="img" aria-label={summary(props)} />
    </figure>
  );
}

const DEFAULT_HEIGHT = 190;

/** The last value is one of the past: the last silence lasts. */
function isPast({ at, silences = [] }: PlotProps): boolean {
  return silences.some(({ from }) => from === at.at(-1));
}

function summary(props: PlotProps): string {
  const { title, unit, series } = props;
  const last = series.map(({ label, values }) => {
    const value = [...values].reverse().find((each) => each !== null);
    return `${label} ${value == null ? 'unknown' : Math.round(value * 10) / 10}`;
  });
  const values = isPast(props) ? 'Silent. Last values were' : 'Last values';
  return `${title}${unit === '' ? '' : `, in ${unit}`}. ${values}: ${last.join(', ')}.`;
}

function dataOf({ at, series, stacked }: PlotProps): uPlot.AlignedData {
  if (!stacked) return [at, ...series.map(({ values }) => values)];
  // From the top of the stack down, so that the lower bars are drawn over the higher ones.
  const sums = series.map((_, i) =>
    at.map((_at, j) =>
      series.slice(0, i + 1).reduce((sum, { values }) => sum + (values[j] ?? 0), 0),
    ),
  );
  return [at, ...sums.reverse()];
}

/** `current`: what is shown when the chart draws again, with the same shape. */
function optionsOf(
  props: PlotProps,
  element: HTMLElement,
  current: () => PlotProps,
): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const { series, stacked, elapsed, unit, rightUnit, limit } = props;
  const format = props.format ?? ((value: number) => String(Math.round(value * 10) / 10));
  const rightFormat = props.rightFormat ?? format;
  const font = '12px system-ui, sans-serif';
  const axis = {
    stroke: colour('--quiet'),
    font,
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
  };
  const shown = stacked ? [...series].reverse() : series;
  const own = (index: number) => shown[index - 1];
  return {
    width: element.clientWidth,
    height: props.height ?? DEFAULT_HEIGHT,
    padding: [10, 8, 0, 0],
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'UTC'),
    fmtDate: (template) => uPlot.fmtDate(template.replace('{h}', '{HH}').replace('{aa}', '')),
    cursor: { points: { size: 6 }, drag: { x: false, y: false }, y: false },
    legend: { live: true },
    scales: {
      x: {
        time: !elapsed,
        // The last bar is as wide as the others.
        range: (_chart, low, high) => {
          if (stacked) return [low, high + 3600];
          const ends = (current().silences ?? []).map(({ to }) => to);
          return [low, Math.max(high, ...ends)];
        },
      },
      y: {
        range: (_chart, low, high) => [
          Math.min(0, low ?? 0),
          Math.max(props.atLeast ?? 1, (high ?? 0) * 1.08, (limit?.at ?? 0) * 1.05),
        ],
      },
      right: { range: (_chart, _low, high) => [0, Math.max(1, (high ?? 0) * 1.08)] },
    },
    axes: [
      {
        ...axis,
        space: 60,
        size: 30,
        values: elapsed
          ? (_chart, ticks) => ticks.map((tick) => `${tick} s`)
          : (...[, ticks, , , step]) =>
              ticks.map((tick) => (step < 60 ? clockSeconds(tick) : clockTime(tick))),
      },
      {
        ...axis,
        size: 56,
        ...(unit === '' ? {} : { label: unit }),
        ...(stacked ? { incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] } : {}),
        labelFont: font,
        labelSize: 16,
        values: (_chart, ticks) => ticks.map((tick) => format(tick)),
      },
      ...(rightUnit === undefined
        ? []
        : [
            {
              ...axis,
              scale: 'right',
              side: 1,
              size: 56,
              grid: { show: false },
              label: rightUnit,
              labelFont: font,
              labelSize: 16,
              values: (_chart: uPlot, ticks: number[]) => ticks.map((tick) => rightFormat(tick)),
            },
          ]),
    ],
    series: [
      {
        label: elapsed ? 'after' : 'UTC',
        value: (_chart, at) => {
          if (at === null) return isPast(current()) ? 'last, before silence' : 'last';
          if (elapsed) return `${Math.round(at)} s`;
          return new Date(at * 1000).toISOString().slice(5, 16).replace('T', ' ');
        },
      },
      ...shown.map(({ label, colour: name, dash, fill, bars, right }): uPlot.Series => ({
        label,
        scale: right ? 'right' : 'y',
        stroke: colour(name),
        width: bars ? 0 : 2,
        ...(props.silences === undefined
          ? { spanGaps: true }
          : { gaps: (chart: uPlot) => silentPixels(chart, current()) }),
        ...(bars ? { points: { show: false } } : { points: { size: 5 } }),
        ...(dash === undefined ? {} : { dash }),
        ...(fill || bars ? { fill: bars ? colour(name) : `${colour(name)}22` } : {}),
        ...(bars ? { paths: uPlot.paths.bars!({ size: [0.7, 40], align: 1 }) } : {}),
        value: (_chart, _value, index, at) => {
          const values = own(index)?.values;
          const value = at === null ? values?.findLast((each) => each !== null) : values?.[at];
          if (value == null) return '–';
          const was = at === null && isPast(current()) ? 'was ' : '';
          return `${was}${(right ? rightFormat : format)(value)}`;
        },
      })),
    ],
    hooks: {
      drawAxes: [(chart) => drawSilences(chart, current(), colour('--quiet'))],
      draw: limit === undefined ? [] : [(chart) => drawLimit(chart, limit, colour('--bad'))],
    },
  };
}

/** From left to right on the canvas. */
function silentPixels(chart: uPlot, { silences = [] }: PlotProps): [number, number][] {
  return silences.map(({ from, to }) => [
    chart.valToPos(from, 'x', true),
    chart.valToPos(to, 'x', true),
  ]);
}

function drawSilences(chart: uPlot, props: PlotProps, stroke: string): void {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.fillStyle = stroke;
  for (const [from, to] of silentPixels(chart, props)) {
    const left = Math.max(from, bbox.left);
    const right = Math.min(to, bbox.left + bbox.width);
    if (right <= left) continue;
    ctx.globalAlpha = 0.18;
    ctx.fillRect(left, bbox.top, right - left, bbox.height);
    ctx.globalAlpha = 1;
    const text = 'silent';
    if (ctx.measureText(text).width + 16 > right - left) continue;
    ctx.textAlign = 'left';
    ctx.fillText(text, left + 8, bbox.top + 16 * devicePixelRatio);
  }
  ctx.restore();
}

function clockSeconds(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(11, 19);
}

function clockTime(seconds: number): string {
  const text = new Date(seconds * 1000).toISOString();
  return text.slice(11, 16) === '00:00' ? text.slice(5, 10) : text.slice(11, 16);
}

function drawLimit(chart: uPlot, limit: { at: number; label: string }, stroke: string): void {
  const y = chart.valToPos(limit.at, 'y', true);
  const { left, width } = chart.bbox;
  const { ctx } = chart;
  ctx.save();
  ctx.strokeStyle = stroke;
  ctx.fillStyle = stroke;
  ctx.setLineDash([6, 4]);
  ctx.beginPath();
  ctx.moveTo(left, y);
  ctx.lineTo(left + width, y);
  ctx.stroke();
  ctx.textAlign = 'left';
  ctx.fillText(limit.label, left + 8, y - 8);
  ctx.restore();
}
