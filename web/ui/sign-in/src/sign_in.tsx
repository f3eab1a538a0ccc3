import { call, get, Problem } from "@shared/api.ts";
import { setLanguage, useLanguage, useWords } from "@shared/language.ts";
import { Button } from "@shared/parts/controls.tsx";
import { Icon } from "@shared/parts/icon.tsx";
import type { Session } from "@shared/shapes.ts";
import { useEffect, useState } from "preact/hooks";
import { destination, pagesFor } from "./pages.ts";

const asked = new URLSearchParams(location.search).get("next");
type Credentials = { link: string } | { username: string; password: string };

/** Sign in by one-time link or by name and password, then go to the page for the role. */
export function SignInPage({ link }: { link: string }) {
  const words = useWords();
  const { who, working, failed, signIn, forget } = useSignIn(link);
  return (
    <main class="sign-in">
      <header>
        <img src="/mark.svg" alt="" width="28" height="28" />
        <b>{words.parts.product}</b>
        <LanguageSwitch />
      </header>
      {who ? <SignedIn who={who} onOther={forget} /> : null}
      {!who && working && link ? <p role="status">{words.signIn.withLink}</p> : null}
      {who || (working && link) ? null : <PasswordForm working={working} failed={failed} onSubmit={signIn} />}
      <p class="public">
        <a href="/aed">
          <Icon name="aed" size={14} /> {words.signIn.publicMap}
        </a>
      </p>
    </main>
  );
}

function useSignIn(link: string) {
  const words = useWords().signIn;
  const [who, setWho] = useState<Session | null>(null);
  const [working, setWorking] = useState(true);
  const [failed, setFailed] = useState<string | null>(null);
  const signIn = async (credentials: Credentials) => {
    setWorking(true);
    setFailed(null);
    try {
      const session = await call<Session>("POST", "/session", credentials, { retries: 1 });
      const page = destination(session.roles, asked);
      if (page) location.replace(page);
      else setWho(session);
    } catch (error) {
      setFailed(whyNot(error, "link" in credentials ? words.linkUsed : words.wrong));
    }
    setWorking(false);
  };
  useEffect(() => {
    if (link) {
      void signIn({ link });
      return;
    }
    get<Session>("/session")
      .then(setWho)
      .catch(() => null)
      .finally(() => setWorking(false));
  }, []);
  const forget = async () => {
    await call("DELETE", "/session").catch(() => null);
    setWho(null);
  };
  return { who, working, failed, signIn, forget };
}

function whyNot(error: unknown, refused: string): string {
  if (!(error instanceof Problem)) return refused;
  const { status, body } = error;
  return status === 401 || status === 403 || status === 404
    ? refused
    : [body.detail || body.title, body.what_to_do].filter(Boolean).join(" ");
}

function SignedIn({ who, onOther }: { who: Session; onOther: () => void }) {
  const words = useWords().signIn;
  const latin = useLanguage() === "en";
  const name = (latin && who.person.name_en) || who.person.name;
  const pages = pagesFor(who.roles);
  return (
    <section>
      <h1>{words.signedInAs(name)}</h1>
      {pages.length === 0 ? <p>{words.noPage}</p> : null}
      {pages.map((page, index) => (
        <a key={page} class={`gm-button ${index === 0 ? "primary" : ""}`} href={`/${page}`}>
          {words.whereTo} {words[page]}
        </a>
      ))}
      <Button look="ghost" onClick={onOther}>
        {words.other}
      </Button>
    </section>
  );
}

interface FormProps {
  working: boolean;
  failed: string | null;
  onSubmit: (credentials: Credentials) => Promise<void>;
}

function PasswordForm({ working, failed, onSubmit }: FormProps) {
  const words = useWords().signIn;
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void onSubmit({ username, password });
      }}
    >
      <h1>{words.title}</h1>
      <label for="username">{words.username}</label>
      <div class="gm-field">
        <input
          id="username"
          autoComplete="username"
          required
          value={username}
          onInput={(event) => setUsername(event.currentTarget.value)}
        />
      </div>
      <label for="password">{words.password}</label>
      <div class={`gm-field ${failed ? "bad" : ""}`}>
        <input
          id="password"
          type="password"
          autoComplete="current-password"
          required
          value={password}
          onInput={(event) => setPassword(event.currentTarget.value)}
        />
      </div>
      {failed ? (
        <p class="gm-error" role="alert">
          <Icon name="warn" size={14} /> {failed}
        </p>
      ) : null}
      <Button look="primary" type="submit" disabled={working}>
        {working ? words.working : words.submit}
      </Button>
    </form>
  );
}

function LanguageSwitch() {
  const language = useLanguage();
  const words = useWords().parts;
  const other = language === "zh" ? "en" : "zh";
  return (
    <button
      type="button"
      class="language"
      lang={other === "zh" ? "zh-CN" : "en"}
      aria-label={words.languageLabel}
      onClick={() => setLanguage(other)}
    >
      {words.language}
    </button>
  );
}
