import { useCallback, useRef } from 'preact/hooks';

import { oddChannels } from '../../../src/features/pictures/channel-test.pure.ts';
import type { PictureView } from '../../../src/readmodel/api.ts';
import { clock, count } from '../format.ts';
import { HeatChart } from './heat-chart.tsx';
import { LineChart } from './line-chart.tsx';
import { short } from './numbers.ts';
import { saveJson, savePng } from './save.ts';
import { SharesTable } from './shares.tsx';

const MOST_NAMED = 12;

/** One picture: what is normal, what to think of anything else, and the picture or why there is none. */
export function PictureCard({ picture, run }: { picture: PictureView; run: number }) {
  const canvas = useRef<HTMLCanvasElement | null>(null);
  const keep = useCallback((made: HTMLCanvasElement | null) => {
    canvas.current = made;
  }, []);
  const { standing, title, name } = picture;
  const isDrawn = standing.kind === 'drawn' || standing.kind === 'too few';
  const file = `run-${run}-${name}`;
  return (
    <article class="picture" aria-label={title}>
      <h3>{title}</h3>
      <p class="picture-normal">
        <b>Normal:</b> {picture.normal}
      </p>
      <p class="picture-normal">
        <b>If not:</b> {picture.otherwise}
      </p>
      {standing.why !== null && <p class={`picture-why why-${standing.kind}`}>{standing.why}</p>}
      {isDrawn && (
        <>
          <Drawing picture={picture} onCanvas={keep} />
          <Odd picture={picture} />
          <Figures picture={picture} />
          <p class="picture-files">
            {picture.shape !== 'shares' && (
              <button
                type="button"
                onClick={() => {
                  if (canvas.current !== null)
                    savePng(canvas.current, `${title}, run ${run}`, file);
                }}
                aria-label={`${title} as PNG`}
              >
                PNG
              </button>
            )}
            <button
              type="button"
              onClick={() => saveJson(picture, file)}
              aria-label={`${title} as JSON`}
            >
              JSON
            </button>
          </p>
        </>
      )}
    </article>
  );
}

interface DrawingProps {
  picture: PictureView;
  onCanvas: (canvas: HTMLCanvasElement | null) => void;
}

function Drawing({ picture, onCanvas }: DrawingProps) {
  const { x, y } = picture.axes;
  if (picture.shape === 'shares') return <SharesTable picture={picture} />;
  if (picture.shape === 'histogram2d' && x !== undefined && y !== undefined) {
    return <HeatChart picture={picture} x={x} y={y} onCanvas={onCanvas} />;
  }
  return <LineChart picture={picture} onCanvas={onCanvas} />;
}

function Odd({ picture }: { picture: PictureView }) {
  const { dead, hot } = oddChannels(picture);
  return (
    <>
      <Named what="without a pulse" channels={dead} />
      <Named what="far above the neighbours" channels={hot} />
    </>
  );
}

function Named({ what, channels }: { what: string; channels: number[] }) {
  if (channels.length === 0) return null;
  const named = channels.slice(0, MOST_NAMED).join(', ');
  const rest = channels.length > MOST_NAMED ? `, and ${channels.length - MOST_NAMED} more` : '';
  return (
    <p class="picture-odd">
      {count(channels.length, 'channel')} {what}: {named}
      {rest}
    </p>
  );
}

function Figures({ picture }: { picture: PictureView }) {
  const { entries, outside, seconds, scalars } = picture;
  return (
    <p class="picture-figures num">
      {Object.values(scalars).map(({ label, unit, value }) => (
        <span key={label}>
          {label} <b>{value === null ? '–' : short(value)}</b> {unit}
        </span>
      ))}
      <span>{count(entries, 'entry', 'entries')}</span>
      {outside > 0 && <span>{outside.toLocaleString('en')} outside</span>}
      <span>{clock(seconds)} of data</span>
    </p>
  );
}
