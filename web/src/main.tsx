import { render } from 'preact';
import { App } from './app.tsx';
import { connect, disconnect } from './live.ts';
import { currentSession, onSession, readSession } from './session.ts';
import './styles.css';
import { applyTheme } from './theme.ts';

applyTheme();
// The stream and the session are asked for at once: whoever may look sees no delay.
connect();
let looked = true;
onSession(() => {
  const looks = currentSession()?.role !== null;
  if (looks !== looked) (looks ? connect : disconnect)();
  looked = looks;
});
void readSession();
render(<App />, document.getElementById('app')!);
