import uPlot from 'uplot';

import {
  centresOf,
  type Picture,
  shownValues,
} from '../../../src/features/pictures/pictures.pure.ts';
import { colour, numberAxis, timeAxis } from './axes.ts';
import { Chart } from './chart.tsx';
import { short, withUnit } from './numbers.ts';

const COLOURS = ['--accent', '--plot-b', '--plot-c', '--good', '--warn', '--bad', '--idle'];
const DASHES = [[], [6, 4], [2, 3], [10, 4], [4, 2], [1, 2], [8, 2]];

interface LineChartProps {
  picture: Picture;
  onCanvas: (canvas: HTMLCanvasElement | null) => void;
}

/** A histogram, a number by channel, or a series over the run. */
export function LineChart({ picture, onCanvas }: LineChartProps) {
  const at = positionsOf(picture);
  const lines = picture.lines.map((line) => {
    const values = shownValues(picture, line);
    // A logarithmic scale has no place for nothing.
    return picture.value.log ? values.map((each) => (each === 0 ? null : each)) : values;
  });
  const shape = JSON.stringify([
    picture.name,
    picture.lines.map(({ label }) => label),
    picture.axes,
  ]);
  return (
    <Chart
      label={inWords(picture)}
      shape={shape}
      data={[at, ...lines]}
      options={() => optionsOf(picture)}
      onCanvas={onCanvas}
    />
  );
}

function positionsOf({ axes, time, shape }: Picture): number[] {
  if (time !== undefined) return time.live.map((_, i) => time.start + (i + 0.5) * time.step);
  if (axes.x === undefined) return [];
  const { low } = axes.x;
  if (shape === 'channels') return Array.from({ length: axes.x.bins }, (_, i) => low + i);
  return centresOf(axes.x);
}

function optionsOf(picture: Picture): Omit<uPlot.Options, 'width' | 'height'> {
  const { axes, value, time, shape, lines } = picture;
  const isLogX = axes.x?.log ?? false;
  const isChannels = shape === 'channels';
  return {
    padding: [10, 22, 0, 0],
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'UTC'),
    cursor: { points: { size: 6 }, drag: { x: false, y: false }, y: false },
    legend: { live: true },
    scales: {
      // Fixed axes: a window that slides would confuse.
      x: {
        time: time !== undefined,
        distr: isLogX ? 3 : 1,
        ...(axes.x === undefined
          ? {}
          : { range: (): uPlot.Range.MinMax => [axes.x?.low ?? 0, axes.x?.high ?? 1] }),
      },
      y: value.log
        ? { distr: 3 }
        : {
            range: (_chart, low, high): uPlot.Range.MinMax => rangeOf(low, high, isChannels),
          },
    },
    axes: [
      time === undefined
        ? numberAxis(withUnit(axes.x?.label ?? '', axes.x?.unit ?? ''), isLogX, 36)
        : timeAxis(),
      numberAxis(withUnit(value.label, value.unit), value.log, 62),
    ],
    series: [
      {
        label: time === undefined ? (axes.x?.label ?? '') : 'UTC',
        value: positionInWords(picture),
      },
      ...lines.map(({ label }, i): uPlot.Series => seriesOf(picture, label, i)),
    ],
  };
}

function seriesOf(picture: Picture, label: string, i: number): uPlot.Series {
  const stroke = colour(COLOURS[i % COLOURS.length] ?? '--accent');
  const isChannels = picture.shape === 'channels';
  const isHistogram = picture.shape === 'histogram';
  return {
    label,
    stroke,
    width: isChannels ? 0 : 1.75,
    dash: DASHES[i % DASHES.length] ?? [],
    points: isChannels ? { show: true, size: 3, fill: stroke, width: 0 } : { show: false },
    ...(isHistogram && uPlot.paths.stepped !== undefined
      ? { paths: uPlot.paths.stepped({ align: 0 as 1 }) }
      : {}),
    value: (_chart, value) => (value == null ? '–' : `${short(value)} ${picture.value.unit}`),
  };
}

function positionInWords({ time, axes, shape }: Picture) {
  return (_chart: uPlot, at: number | null): string => {
    if (at === null) return '–';
    if (time !== undefined) return new Date(at * 1000).toISOString().slice(11, 19);
    return shape === 'channels' ? String(at) : `${short(at)} ${axes.x?.unit ?? ''}`;
  };
}

function rangeOf(low: number | null, high: number | null, isTight: boolean): [number, number] {
  const [least, most] = [low ?? 0, high ?? 1];
  if (!isTight || least <= 0) return [Math.min(0, least), Math.max(most * 1.08, 1e-9)];
  const margin = Math.max((most - least) * 0.1, most * 1e-3);
  return [least - margin, most + margin];
}

function inWords(picture: Picture): string {
  const lines = picture.lines.map(({ label }) => label).join(', ');
  return `${picture.title}: ${lines}, ${picture.entries} entries`;
}
