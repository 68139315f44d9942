import { useRef } from 'preact/hooks';

import type { StripCell } from '../../../../src/readmodel/api.ts';
import { LOOKS } from '../../../../src/readmodel/run-condition.pure.ts';
import { count, utc } from '../../format.ts';
import { usePanel } from '../../live.ts';
import { Empty, Panel } from '../../parts.tsx';
import { Link } from '../../router.tsx';
import { ConditionSign, Glyph } from '../../signs.tsx';

/** The last runs, one cell each. */
export function Strip() {
  const panel = usePanel('strip');
  const cells = panel.data ?? [];
  return (
    <Panel
      title={`Last ${cells.length === 0 ? '' : `${count(cells.length, 'run')}`}`.trim()}
      class="strip-panel"
      fresh={panel}
      loading={panel.data === null}
    >
      {cells.length === 0 ? (
        <Empty>There is no run in this database yet.</Empty>
      ) : (
        <StripCells cells={cells} />
      )}
    </Panel>
  );
}

const STEP_OF_KEY: Readonly<Record<string, number>> = { ArrowRight: 1, ArrowLeft: -1 };

function StripCells({ cells }: { cells: StripCell[] }) {
  const list = useRef<HTMLOListElement>(null);
  const shown = [...new Set(cells.map(({ condition }) => condition))];
  return (
    <>
      <ol
        class="strip"
        ref={list}
        aria-label="oldest first; arrow keys move"
        onKeyDown={(event) => {
          const step = STEP_OF_KEY[event.key];
          if (step === undefined) return;
          const links = [...(list.current?.querySelectorAll('a') ?? [])];
          links[links.indexOf(document.activeElement as HTMLAnchorElement) + step]?.focus();
        }}
      >
        {cells.map(({ run, condition, start }, i) => {
          const { word, shape, tone } = LOOKS[condition];
          const when = start === null ? '' : `, started ${utc(new Date(start))} UTC`;
          return (
            <li key={run}>
              <Link
                to={`/runs/${run}`}
                class={`cell tone-${tone}`}
                aria-label={`Run ${run}: ${word}`}
                title={`${run}: ${word}${when}`}
                tabIndex={i === cells.length - 1 ? 0 : -1}
              >
                <Glyph shape={shape} tone={tone} />
              </Link>
            </li>
          );
        })}
      </ol>
      <div class="strip-ends">
        <span>{cells[0]?.run}</span>
        <span class="strip-key">
          {shown.map((condition) => (
            <ConditionSign key={condition} condition={condition} />
          ))}
        </span>
        <span>{cells.at(-1)?.run}</span>
      </div>
    </>
  );
}
