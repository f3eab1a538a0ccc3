import type { Words } from "../zh.ts";

export const signIn: Words["signIn"] = {
  title: "Sign in",
  username: "Username",
  password: "Password",
  submit: "Sign in",
  working: "Signing in",
  withLink: "Signing in with the one-time link",
  linkUsed: "The link was used or has expired; use a password or ask for a new link",
  wrong: "Username or password is wrong",
  signedInAs: (name) => `Signed in: ${name}`,
  whereTo: "Go to",
  console: "Console",
  go: "Responder",
  planner: "AED planner",
  publicMap: "AEDs nearby, no sign-in",
  other: "Sign in as someone else",
  noPage: "This account has no page here",
};
