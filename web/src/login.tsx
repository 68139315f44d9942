import { useState } from 'preact/hooks';

import { begin } from './background.ts';
import { logIn, logOut, useSession } from './session.ts';

/** The login. `name`: a known user without a role. The address stays, and its page is shown after the login. */
export function LoginPage({ name }: { name: string | null }) {
  const [problem, setProblem] = useState<string | null>(null);
  const [asking, setAsking] = useState(false);
  const enter = async (form: HTMLFormElement) => {
    const fields = new FormData(form);
    const word = (field: string) => {
      const value = fields.get(field);
      return typeof value === 'string' ? value : '';
    };
    setAsking(true);
    setProblem(null);
    try {
      await logIn({ name: word('name').trim(), password: word('password') });
    } catch (error) {
      setProblem((error as Error).message);
      setAsking(false);
    }
  };
  return (
    <main class="login" id="content">
      <form
        class="panel"
        aria-labelledby="login-title"
        onSubmit={(event) => {
          event.preventDefault();
          begin(enter(event.currentTarget));
        }}
      >
        <h1 id="login-title">bootstrax</h1>
        {name !== null && (
          <p class="problem">{name} is known, but is neither viewer nor operator here.</p>
        )}
        <label class="field">
          Name
          <input name="name" autocomplete="username" required autoFocus />
        </label>
        <label class="field">
          Password
          <input name="password" type="password" autocomplete="current-password" required />
        </label>
        <p class="ask-problem" role="alert">
          {problem}
        </p>
        <button type="submit" class="main-button" disabled={asking}>
          Log in
        </button>
        <p class="quiet">
          No account? An administrator makes one with <code>bootstrax user add</code>.
        </p>
      </form>
    </main>
  );
}

/** Who is logged in, and what they may do. */
export function WhoAmI() {
  const session = useSession();
  if (session === null || session.name === null) return null;
  const { name, role, via } = session;
  return (
    <p
      class="who"
      title={role === 'operator' ? 'operator: may look and act' : 'viewer: may only look'}
    >
      <span class="who-name">{name}</span>
      <span class="who-role">{role}</span>
      {via === 'account' && (
        <button type="button" class="quiet-button" onClick={() => begin(logOut())}>
          Log out
        </button>
      )}
    </p>
  );
}
