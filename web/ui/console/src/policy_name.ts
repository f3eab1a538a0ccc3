import { type Words, wordFor } from "@shared/words/zh.ts";

/** PURE. A policy as people call it: "expected-survival v1" by the name of the shipped one, others by their own. */
export const policyName = (label: string, words: Words): string =>
  label.replace(/^\S+/, (name) => wordFor(words.office.policy.names, name));
