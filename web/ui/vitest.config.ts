import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  resolve: { alias: { "@shared": fileURLToPath(new URL("./shared/src", import.meta.url)) } },
  test: {
    include: ["{shared,console,go,planner,aed,sign-in}/**/*.test.{ts,tsx}"],
    environment: "node",
    // The tests are of pure code: one worker for all is four times as fast.
    isolate: false,
  },
});
