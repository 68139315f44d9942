import type { ActionView } from '../../../src/readmodel/action-api.ts';
import { Glyph } from '../signs.tsx';
import { STATE_LOOKS } from './words.ts';

/** The state of an action, as shape and word. */
export function ActionSign({ state }: { state: ActionView['state'] }) {
  const { word, shape, tone } = STATE_LOOKS[state];
  return (
    <span class={`sign tone-${tone}`}>
      <Glyph shape={shape} tone={tone} />
      {word}
    </span>
  );
}
