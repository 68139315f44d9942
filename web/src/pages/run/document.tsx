import { useState } from 'preact/hooks';

import type { DocumentAnswer } from '../../../../src/readmodel/api.ts';
import { useResource } from '../../resource.ts';

/** The run document, read when the panel is opened. */
export function RawDocument({ number }: { number: number }) {
  const [open, setOpen] = useState(false);
  const answer = useResource<DocumentAnswer>(open ? `/api/runs/${number}/document` : null, 30);
  return (
    <section class="panel raw">
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>The document as it is stored, without passwords</summary>
        {answer.data === null ? (
          <p class="empty">{answer.why ?? 'Reading …'}</p>
        ) : (
          <pre tabIndex={0} role="region" aria-label="Run document">
            {answer.data.text}
          </pre>
        )}
      </details>
    </section>
  );
}
