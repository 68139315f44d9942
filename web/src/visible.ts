import { useEffect, useState } from 'preact/hooks';

/** Pages hidden for less than this keep their connection. */
const LEAVE_MS = 5000;

/**
 * Calls back when the page becomes visible, and when it has been hidden for a while. A browser gives a
 * site six connections for all its tabs: hidden ones must not hold one.
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

/** Whether the page is visible. */
export function useVisible(): boolean {
  const [visible, setVisible] = useState(!document.hidden);
  useEffect(() => onVisible(setVisible), []);
  return visible;
}
