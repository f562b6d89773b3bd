import { defineConfig } from "vitest/config";

/** Where `npm run dev` finds the server for `/api` and `/ws`. */
const DEVELOPMENT_SERVER = "http://127.0.0.1:8080";

export default defineConfig({
  base: "/",
  build: {
    outDir: "../static",
    emptyOutDir: true,
    // Every asset is a file of its own: the Content-Security-Policy knows no data: addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: ["chrome123", "firefox128", "safari17.5"],
    chunkSizeWarningLimit: 700,
  },
  server: {
    proxy: {
      "/api": DEVELOPMENT_SERVER,
      "/ws": { target: DEVELOPMENT_SERVER, ws: true },
    },
  },
  test: { include: ["test/**/*.test.ts"], environment: "node" },
});
