import type { AttemptView, PicturesAnswer, PictureView } from '../../../../src/readmodel/api.ts';
import { Empty, Panel } from '../../parts.tsx';
import { PictureCard } from '../../pictures/picture-card.tsx';
import { StoredTypes } from '../../pictures/stored-types.tsx';
import { useResource } from '../../resource.ts';

const LIVE_SECONDS = 3;
const AFTERWARDS_SECONDS = 60;

/** Pictures of the data of one attempt, while it runs and afterwards. */
export function Pictures({ attempt, run }: { attempt: AttemptView; run: number }) {
  const isRunning = attempt.ended === null;
  const every = isRunning ? LIVE_SECONDS : AFTERWARDS_SECONDS;
  const answer = useResource<PicturesAnswer>(`/api/attempts/${attempt.attempt}/pictures`, every);
  const data = answer.data;
  const fresh = isRunning ? answer : { ...answer, stale: false };
  const isLoading = data === null && answer.missing === null;
  return (
    <>
      <Panel title="Pictures of the data" class="pictures" fresh={fresh} loading={isLoading}>
        {data === null ? (
          <Empty>{whyNone(attempt)}</Empty>
        ) : (
          <>
            {data.problem !== null && <p class="problem">{data.problem}</p>}
            {data.pictures.length === 0 && data.problem === null && (
              <Empty>The context of this attempt declares no pictures.</Empty>
            )}
            {!data.final && !isRunning && (
              <p class="quiet">They were not finished: some of the data is not in them.</p>
            )}
            <div class="picture-grid">
              {data.pictures.filter(isMade).map((picture) => (
                <PictureCard key={picture.name} picture={picture} run={run} />
              ))}
            </div>
            <NotMade pictures={data.pictures.filter((each) => !isMade(each))} />
          </>
        )}
      </Panel>
      {data !== null && data.stored.length > 0 && (
        <Panel title="Rates of the stored types" class="stored" fresh={fresh} loading={false}>
          <StoredTypes stored={data.stored} />
        </Panel>
      )}
    </>
  );
}

function isMade({ standing }: PictureView): boolean {
  return standing.kind !== 'not made';
}

/** In one line: another choice of targets, no trouble. */
function NotMade({ pictures }: { pictures: PictureView[] }) {
  if (pictures.length === 0) return null;
  const named = pictures.map(({ title, type }) => `${title} (${type})`).join(', ');
  return <p class="picture-rest">Not among what this attempt makes: {named}.</p>;
}

function whyNone({ filesHere, begun, host, ended }: AttemptView): string {
  if (!begun) return 'This attempt has not begun to process.';
  if (!filesHere) return `They lie on ${host}: a dashboard that runs there shows them.`;
  return ended === null
    ? 'None have been made yet.'
    : 'None were made: it was a job of Slurm, or an earlier release has made it, or pictures are switched off.';
}
