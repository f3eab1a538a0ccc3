import { post } from "@shared/api.ts";
import { useWords } from "@shared/language.ts";
import { Icon } from "@shared/parts/icon.tsx";
import { useState } from "preact/hooks";

/** Sign in inside the app, so that an installed app stays in its own window. */
export function SignIn({ onDone }: { onDone: () => void }) {
  const words = useWords().go.signIn;
  const [wrong, setWrong] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    try {
      await post(
        "/session",
        { username: form.get("username"), password: form.get("password") },
        { retries: 0 },
      );
      onDone();
    } catch (error) {
      setWrong((error as Error).message);
    } finally {
      setBusy(false);
    }
  };
  return (
    <main class="page sign-in">
      <img src="/mark.svg" alt="" width="56" height="56" />
      <h1>{words.title}</h1>
      <form class="block settings" onSubmit={submit}>
        <label>
          {words.name}
          <input name="username" autocomplete="username" autocapitalize="none" required />
        </label>
        <label>
          {words.password}
          <input name="password" type="password" autocomplete="current-password" required />
        </label>
        {wrong ? (
          <p class="form-error" role="alert">
            <Icon name="warn" size={20} />
            {wrong}
          </p>
        ) : null}
        <button type="submit" class="phone-button primary" aria-disabled={busy}>
          {words.submit}
        </button>
      </form>
      <p class="hint outside">{words.link}</p>
    </main>
  );
}
