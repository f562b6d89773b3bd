import { defineConfig } from "vite";

/**
 * The page of load reports: one script and one style sheet, which Python puts into a file of their own with the figures
 * (simplestchat/load/page.py). It is no part of the client that the server gives out.
 */
export default defineConfig({
  publicDir: false,
  build: {
    outDir: "../load/assets",
    emptyOutDir: true,
    // Else the style sheet ends up inside the script, which the page's own policy forbids to write styles.
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
    target: ["chrome123", "firefox128", "safari17.5"],
    rollupOptions: {
      input: "src/report/main.tsx",
      output: { format: "iife", entryFileNames: "report.js", assetFileNames: "report.[ext]" },
    },
  },
});
