import { useRef, useState } from 'preact/hooks';

import type { HandoverAnswer } from '../../../src/readmodel/api.ts';
import { begin } from '../background.ts';
import { Panel } from '../parts.tsx';
import { useResource } from '../resource.ts';
import { Link } from '../router.tsx';

const HOURS = ['8', '12', '24'] as const;

/** The report of the last hours, as text for a log book. */
export function HandoverPage({ query }: { query: URLSearchParams }) {
  const hours = HOURS.find((each) => each === query.get('hours')) ?? '8';
  const answer = useResource<HandoverAnswer>(`/api/handover?hours=${hours}`, 60);
  const text = answer.data?.text ?? null;
  return (
    <>
      <h1>Handover</h1>
      <Panel
        title={`The last ${hours} hours`}
        class="handover"
        fresh={answer}
        loading={text === null}
        aside={
          <nav class="choices" aria-label="Time span">
            {HOURS.map((each) => (
              <Link
                key={each}
                to={`/handover?hours=${each}`}
                aria-current={each === hours ? 'true' : undefined}
              >
                {each} h
              </Link>
            ))}
          </nav>
        }
      >
        <Copied text={text ?? ''} />
      </Panel>
    </>
  );
}

function Copied({ text }: { text: string }) {
  const area = useRef<HTMLTextAreaElement>(null);
  const [copied, setCopied] = useState<string | null>(null);
  const copy = async () => {
    area.current?.select();
    try {
      await navigator.clipboard.writeText(text);
      setCopied('Copied.');
    } catch {
      // Without TLS the browser gives no access to the clipboard; the text is selected.
      setCopied('Selected: press Ctrl+C.');
    }
  };
  return (
    <>
      <div class="copy">
        <button type="button" class="main-button" onClick={() => begin(copy())}>
          Copy
        </button>
        <span class="quiet" role="status">
          {copied}
        </span>
      </div>
      <textarea
        ref={area}
        readOnly
        class="handover-text"
        aria-label="Handover as text"
        rows={Math.min(40, text.split('\n').length + 2)}
        value={text}
      />
    </>
  );
}
