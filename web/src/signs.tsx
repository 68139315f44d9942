import type { HostCondition } from '../../src/readmodel/hosts.pure.ts';
import {
  type Condition,
  LOOKS,
  type Shape,
  type Tone,
} from '../../src/readmodel/run-condition.pure.ts';

const OUTLINE = { fill: 'none', stroke: 'currentColor', 'stroke-width': 2 } as const;
const FILLED = { fill: 'currentColor' } as const;

/** A shape, since a colour alone is not seen by everybody. */
export function Glyph({ shape, tone }: { shape: Shape; tone: Tone }) {
  return (
    <svg class={`glyph tone-${tone}`} viewBox="0 0 16 16" aria-hidden="true">
      {drawn(shape)}
    </svg>
  );
}

function drawn(shape: Shape) {
  switch (shape) {
    case 'ring':
      return <circle cx="8" cy="8" r="5.5" {...OUTLINE} />;
    case 'dots':
      return (
        <g {...FILLED}>
          <circle cx="3" cy="8" r="1.8" />
          <circle cx="8" cy="8" r="1.8" />
          <circle cx="13" cy="8" r="1.8" />
        </g>
      );
    case 'play':
      return <path d="M4 2.5v11l9.5-5.5z" {...FILLED} />;
    case 'hourglass':
      return <path d="M3.5 2h9L8 8l4.5 6h-9L8 8z" {...OUTLINE} stroke-linejoin="round" />;
    case 'disc':
      return <circle cx="8" cy="8" r="6" {...FILLED} />;
    case 'part':
      return (
        <g>
          <circle cx="8" cy="8" r="5.5" {...OUTLINE} />
          <path d="M8 2.5a5.5 5.5 0 0 0 0 11z" {...FILLED} />
        </g>
      );
    case 'triangle':
      return <path d="M8 2.5l6 11H2z" {...OUTLINE} stroke-linejoin="round" />;
    case 'return':
      return (
        <path d="M12.5 5.5a5.2 5.2 0 1 0 .6 4.5M13 2v4H9" {...OUTLINE} stroke-linecap="round" />
      );
    case 'cross':
      return <path d="M3 3l10 10M13 3L3 13" {...OUTLINE} stroke-width="3" stroke-linecap="round" />;
    case 'diamond':
      return <path d="M8 1.5L14.5 8 8 14.5 1.5 8z" {...OUTLINE} stroke-linejoin="round" />;
    case 'pause':
      return <path d="M4 3h3v10H4zM9 3h3v10H9z" {...FILLED} />;
    case 'dash':
      return <path d="M2.5 8h11" {...OUTLINE} stroke-width="3" stroke-linecap="round" />;
  }
}

/** The condition of a run, as shape and word. */
export function ConditionSign({ condition }: { condition: Condition }) {
  const { word, shape, tone, meaning } = LOOKS[condition];
  return (
    <span class={`sign tone-${tone}`} title={meaning}>
      <Glyph shape={shape} tone={tone} />
      {word}
    </span>
  );
}

const HOST_LOOKS: Readonly<Record<HostCondition, { word: string; shape: Shape; tone: Tone }>> = {
  busy: { word: 'busy', shape: 'play', tone: 'active' },
  idle: { word: 'ready', shape: 'disc', tone: 'good' },
  blocked: { word: 'takes no runs', shape: 'pause', tone: 'warn' },
  drained: { word: 'drained', shape: 'pause', tone: 'off' },
  quarantined: { word: 'in quarantine', shape: 'triangle', tone: 'bad' },
  silent: { word: 'silent', shape: 'cross', tone: 'bad' },
};

/** The condition of a host, as shape and word. */
export function HostSign({ condition }: { condition: HostCondition }) {
  const { word, shape, tone } = HOST_LOOKS[condition];
  return (
    <span class={`sign tone-${tone}`}>
      <Glyph shape={shape} tone={tone} />
      {word}
    </span>
  );
}
