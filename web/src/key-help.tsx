import { useEffect, useRef } from 'preact/hooks';

const KEYS = [
  ['g n', 'Now'],
  ['g r', 'Runs'],
  ['g h', 'Hosts'],
  ['g f', 'Failures'],
  ['g o', 'Handover'],
  ['/', 'go to a run by its number'],
  ['← →', 'along the strip of the last runs'],
  ['Tab, Enter', 'through links and buttons'],
  ['Esc', 'close a dialog without doing anything'],
  ['?', 'this list'],
] as const;

/** The list of keys. */
export function KeyHelp({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="ask" aria-labelledby="keys-title" onClose={onClose}>
      <h2 id="keys-title">Keys</h2>
      <dl class="keys">
        {KEYS.map(([key, does]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <p class="quiet">
        For programs: <a href="/reference">the API</a>
      </p>
      <div class="ask-buttons">
        <button type="button" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </div>
    </dialog>
  );
}
