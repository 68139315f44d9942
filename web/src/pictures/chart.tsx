import 'uplot/dist/uPlot.min.css';

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';

import { onTheme, theme } from '../theme.ts';

export const CHART_HEIGHT = 260;

interface ChartProps {
  /** For screen readers. */
  label: string;
  /** Changes when the chart has to be made anew. */
  shape: string;
  data: uPlot.AlignedData;
  options: () => Omit<uPlot.Options, 'width' | 'height'>;
  /** Gets the canvas, for a file. */
  onCanvas: (canvas: HTMLCanvasElement | null) => void;
}

/** A uPlot chart that fills its place, follows its size and the theme, and jumps at no new data. */
export function Chart({ label, shape, data, options, onCanvas }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const newest = useRef({ data, options });
  newest.current = { data, options };
  const [look, setLook] = useState(theme());
  useEffect(() => onTheme(() => setLook(theme())), []);

  useLayoutEffect(() => {
    const element = place.current;
    if (element === null) return;
    const size = { width: element.clientWidth, height: CHART_HEIGHT };
    const made = new uPlot({ ...newest.current.options(), ...size }, newest.current.data, element);
    chart.current = made;
    onCanvas(made.ctx.canvas);
    const observer = new ResizeObserver(() => {
      if (element.clientWidth !== made.width) {
        made.setSize({ width: element.clientWidth, height: CHART_HEIGHT });
      }
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      chart.current = null;
      onCanvas(null);
    };
  }, [shape, look]);

  useEffect(() => {
    chart.current?.setData(data);
  }, [data]);

  return <div ref={place} role="img" aria-label={label} />;
}
