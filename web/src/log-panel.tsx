import { useEffect, useRef, useState } from 'preact/hooks';

import type { AttemptView } from '../../src/readmodel/api.ts';
import { Empty, Panel } from './parts.tsx';
import { useVisible } from './visible.ts';

/** The page keeps only the last part of a log. */
const MOST_CHARACTERS = 400_000;

/** What strax prints, line by line. */
export function LogPanel({ attempt }: { attempt: AttemptView }) {
  const [text, setText] = useState<string | null>(null);
  const [over, setOver] = useState(false);
  const place = useRef<HTMLPreElement>(null);
  const follows = useRef(true);
  const visible = useVisible();
  const { filesHere, attempt: id } = attempt;
  const follow = filesHere ? 'follows' : '';

  useEffect(() => {
    if (!filesHere || over || !visible) return;
    const source = new EventSource(`/api/attempts/${id}/log`);
    source.addEventListener('end', (event: MessageEvent<string>) => {
      setText(JSON.parse(event.data) as string);
    });
    source.addEventListener('more', (event: MessageEvent<string>) => {
      const more = JSON.parse(event.data) as string;
      setText((old) => `${old ?? ''}${more}`.slice(-MOST_CHARACTERS));
    });
    source.addEventListener('over', () => {
      source.close();
      setOver(true);
    });
    return () => source.close();
  }, [filesHere, id, over, visible]);

  useEffect(() => {
    const element = place.current;
    if (element !== null && follows.current) element.scrollTop = element.scrollHeight;
  }, [text]);

  return (
    <Panel
      title="Log"
      class={filesHere ? 'log' : 'log elsewhere'}
      fresh={{ ageSeconds: null, stale: false, why: null }}
      loading={filesHere && text === null && !over}
      aside={<span class="quiet">{over ? 'complete' : follow}</span>}
    >
      {!filesHere && (
        <Empty>
          The log lies on {attempt.host}: a dashboard that runs there shows it, and so does{' '}
          <code>bootstrax logs</code>.
        </Empty>
      )}
      {filesHere && !text && <Empty>The attempt has printed nothing yet.</Empty>}
      {filesHere && text && (
        <pre
          ref={place}
          class="log-text"
          tabIndex={0}
          role="region"
          aria-label="Log of the attempt"
          onScroll={(event) => {
            const { scrollTop, scrollHeight, clientHeight } = event.currentTarget;
            follows.current = scrollHeight - scrollTop - clientHeight < 24;
          }}
        >
          {text}
        </pre>
      )}
    </Panel>
  );
}
