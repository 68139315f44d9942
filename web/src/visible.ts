import { useEffect, useState } from 'preact/hooks';

/** Going through one's tabs closes nothing, ms. */
const LEAVE_MS = 5000;

/**
 * Calls back when somebody begins to look at the page, and when nobody has for a while. A browser
 * gives a site six connections for all its tabs: those that nobody sees must not hold one.
 */
export function onVisible(listener: (visible: boolean) => void): () => void {
  let told = !document.hidden;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tell = (visible: boolean) => {
    if (visible === told) return;
    told = visible;
    listener(visible);
  };
  const changed = () => {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(() => tell(false), LEAVE_MS);
    else tell(true);
  };
  document.addEventListener('visibilitychange', changed);
  return () => {
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', changed);
  };
}

/** Whether somebody looks at the page. */
export function useVisible(): boolean {
  const [visible, setVisible] = useState(!document.hidden);
  useEffect(() => onVisible(setVisible), []);
  return visible;
}
