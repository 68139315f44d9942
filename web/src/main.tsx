import './styles.css';

import { render } from 'preact';

import { App } from './app.tsx';
import { begin } from './background.ts';
import { connect, disconnect, pause } from './live.ts';
import { currentSession, onSession, readSession } from './session.ts';
import { applyTheme } from './theme.ts';
import { onVisible } from './visible.ts';

applyTheme();
// Stream and session are requested at the same time: who is logged in sees no delay.
let visible = !document.hidden;
let looks = true;
if (visible) connect();
onVisible((now) => {
  visible = now;
  if (looks) (visible ? connect : pause)();
});
onSession(() => {
  const before = looks;
  looks = currentSession()?.role !== null;
  if (!looks) disconnect();
  else if (!before && visible) connect();
});
begin(readSession());
render(<App />, document.getElementById('app')!);
