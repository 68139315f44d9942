import type { RunAnswer, RunNote } from '../../../../src/readmodel/api.ts';
import { Empty, Linked, Panel, Time } from '../../parts.tsx';
import type { Resource } from '../../resource.ts';
import { Link } from '../../router.tsx';

/** Tags and comments of people and programs. */
export function Notes({ answer }: { answer: Resource<RunAnswer> }) {
  const tags = answer.data?.tags ?? [];
  const comments = answer.data?.comments ?? [];
  return (
    <Panel title="Tags and comments" class="notes" fresh={answer} loading={answer.data === null}>
      {tags.length + comments.length === 0 ? (
        <Empty>This run has no tags and no comments.</Empty>
      ) : (
        <ul class="note-list">
          {tags.map((tag) => (
            <li key={`${tag.text} ${tag.at}`}>
              <Link to={`/runs?tag=${encodeURIComponent(tag.text)}`} class="tag">
                {tag.text}
              </Link>{' '}
              <Source note={tag} />
            </li>
          ))}
          {comments.map((comment) => (
            <li key={`${comment.text} ${comment.at}`}>
              <p class="comment">
                <Linked text={comment.text} />
              </p>
              <Source note={comment} />
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function Source({ note: { by, at } }: { note: RunNote }) {
  return (
    <span class="quiet note-source">
      {by ?? 'unknown author'}
      {at !== null && (
        <>
          , <Time at={at} />
        </>
      )}
    </span>
  );
}
