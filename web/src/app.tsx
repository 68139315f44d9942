import { useEffect, useErrorBoundary, useRef, useState } from 'preact/hooks';

import { ActionDialog } from './actions/dialog.tsx';
import { Notices } from './actions/notices.tsx';
import { utc } from './format.ts';
import { KeyHelp } from './key-help.tsx';
import {
  databaseProblem,
  isHeard,
  isWaiting,
  runningNow,
  troubleNow,
  useLive,
  usePanel,
} from './live.ts';
import { LoginPage, WhoAmI } from './login.tsx';
import { ActionsPage } from './pages/actions.tsx';
import { FailuresPage } from './pages/failures.tsx';
import { HandoverPage } from './pages/handover.tsx';
import { HostsPage } from './pages/hosts.tsx';
import { NowPage } from './pages/now.tsx';
import { ReferencePage } from './pages/reference.tsx';
import { RunPage } from './pages/run.tsx';
import { RunsPage } from './pages/runs.tsx';
import { Link, navigate, useAddress } from './router.tsx';
import { useSession } from './session.ts';
import { onTheme, theme, toggleTheme } from './theme.ts';

const PAGES = [
  { to: '/', name: 'Now', key: 'n' },
  { to: '/runs', name: 'Runs', key: 'r' },
  { to: '/hosts', name: 'Hosts', key: 'h' },
  { to: '/failures', name: 'Failures', key: 'f' },
  { to: '/handover', name: 'Handover', key: 'o' },
] as const;
/** Pages without an entry in the menu. */
const OTHER_TITLES: Readonly<Record<string, string>> = {
  '/actions': 'Actions',
  '/reference': 'API',
};

/** The page is drawn after this time even if the server has not said who is logged in. */
const WAIT_MS = 1000;

/** The whole page; only the login for those who are not logged in. */
export function App() {
  const session = useSession();
  const [waited, setWaited] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setWaited(true), WAIT_MS);
    return () => clearTimeout(timer);
  }, []);
  if (session === null) return waited ? <Frame /> : null;
  return session.role === null ? <LoginPage name={session.name} /> : <Frame />;
}

function Frame() {
  const { path, query } = useAddress();
  const search = useRef<HTMLInputElement>(null);
  const [help, setHelp] = useState(false);
  useKeys(search, () => setHelp(true));
  return (
    <>
      <a class="skip" href="#content">
        Skip to the content
      </a>
      <header class="top">
        <Link to="/" class="brand">
          bootstrax
        </Link>
        <nav aria-label="Pages">
          {PAGES.map(({ to, name, key }) => (
            <Link
              to={to}
              key={to}
              title={`g ${key}`}
              aria-current={isCurrent(path, to) ? 'page' : undefined}
            >
              {name}
            </Link>
          ))}
        </nav>
        <form
          class="find"
          role="search"
          onSubmit={(event) => {
            event.preventDefault();
            const number = search.current?.value.trim() ?? '';
            if (/^\d{1,7}$/.test(number)) navigate(`/runs/${Number(number)}`);
          }}
        >
          <label>
            <span class="unseen">Go to run</span>
            <input
              ref={search}
              type="search"
              inputMode="numeric"
              pattern="[0-9]{1,7}"
              placeholder="Run number  /"
            />
          </label>
        </form>
        <Connection />
        <WhoAmI />
        <ThemeButton />
      </header>
      <main id="content" tabIndex={-1}>
        <Page path={path} query={query} key={path} />
      </main>
      <ActionDialog />
      <Notices />
      {help && <KeyHelp onClose={() => setHelp(false)} />}
    </>
  );
}

function Page({ path, query }: { path: string; query: URLSearchParams }) {
  const run = /^\/runs\/(\d{1,7})$/.exec(path)?.[1];
  const title =
    run !== undefined
      ? `Run ${run}`
      : (PAGES.find(({ to }) => to === path)?.name ?? OTHER_TITLES[path]);
  // The name of the tab counts what needs attention.
  const attention = usePanel('attention');
  const open = (attention.data ?? []).filter((item) => item.acknowledged === null);
  const known = open.length === 0 || attention.stale ? '' : `(${open.length}) `;
  const needing = troubleNow() === null ? known : '(!) ';
  useEffect(() => {
    document.title = `${needing}${title ?? 'Not found'} · bootstrax`;
  }, [needing, title]);
  const [error] = useErrorBoundary() as [unknown, () => void];
  if (error !== undefined) return <Broken error={error} />;
  if (run !== undefined) return <RunPage number={Number(run)} query={query} />;
  switch (path) {
    case '/':
      return <NowPage />;
    case '/runs':
      return <RunsPage query={query} />;
    case '/hosts':
      return <HostsPage query={query} />;
    case '/failures':
      return <FailuresPage query={query} />;
    case '/handover':
      return <HandoverPage query={query} />;
    case '/actions':
      return <ActionsPage query={query} />;
    case '/reference':
      return <ReferencePage />;
    default:
      return (
        <div class="lost">
          <h1>There is no such page</h1>
          <p>
            Go on to <Link to="/">the page Now</Link>.
          </p>
        </div>
      );
  }
}

function Broken({ error }: { error: unknown }) {
  return (
    <div class="lost">
      <h1>This page cannot be drawn</h1>
      <p>
        The dashboard has an error; the processing of runs does not depend on it. On a terminal:{' '}
        <code>bootstrax status</code>
      </p>
      <p class="problem">{String(error)}</p>
      <p>
        <button type="button" onClick={() => location.reload()}>
          Load the page again
        </button>
      </p>
    </div>
  );
}

function isCurrent(path: string, to: string): boolean {
  return to === '/' ? path === '/' : path.startsWith(to);
}

function connectionState(problem: ReturnType<typeof databaseProblem>) {
  if (isWaiting()) return 'waiting';
  if (!isHeard()) return 'lost';
  return problem !== null ? 'database' : 'live';
}

function Connection() {
  useLive();
  const problem = databaseProblem();
  const state = connectionState(problem);
  const words = {
    waiting: '…',
    live: 'live',
    database: 'database not reached',
    lost: 'no connection',
  }[state];
  return (
    <p class={`connection connection-${state}`} role="status" title={problem ?? undefined}>
      <span class="num clock">{utc(new Date(runningNow())).slice(11)} UTC</span>
      <span class="connection-word">{words}</span>
    </p>
  );
}

function ThemeButton() {
  const [now, setNow] = useState(theme());
  useEffect(() => onTheme(() => setNow(theme())), []);
  const other = now === 'dark' ? 'light' : 'dark';
  return (
    <button
      type="button"
      class="quiet-button"
      onClick={toggleTheme}
      aria-label={`Colours: ${other}`}
    >
      <svg viewBox="0 0 16 16" aria-hidden="true" class="glyph">
        <circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="1.5" />
        <path d="M8 2a6 6 0 0 1 0 12z" fill="currentColor" />
      </svg>
    </button>
  );
}

/** `g n`, `g r`, `g h`, `g f`, `g o` for the pages, `/` for a run, `?` for help. */
function useKeys(search: { current: HTMLInputElement | null }, onHelp: () => void): void {
  const help = useRef(onHelp);
  help.current = onHelp;
  useEffect(() => {
    let goAtMs = -Infinity;
    const pressed = (event: KeyboardEvent) => {
      const typing =
        event.target instanceof HTMLElement &&
        ['INPUT', 'SELECT', 'TEXTAREA'].includes(event.target.tagName);
      const asked = document.querySelector('dialog[open]') !== null;
      if (typing || asked || event.metaKey || event.ctrlKey || event.altKey) return;
      if (event.key === '?') {
        help.current();
        return;
      }
      if (event.key === '/') {
        event.preventDefault();
        search.current?.focus();
        return;
      }
      const page = PAGES.find(({ key }) => key === event.key);
      if (page !== undefined && performance.now() - goAtMs < 1500) navigate(page.to);
      goAtMs = event.key === 'g' ? performance.now() : -Infinity;
    };
    window.addEventListener('keydown', pressed);
    return () => window.removeEventListener('keydown', pressed);
  }, [search]);
}
