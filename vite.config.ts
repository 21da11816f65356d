import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, type Plugin } from 'vite';
import { VitePWA } from 'vite-plugin-pwa';

/** Hot replacement puts styles into the page, which the policy that ships forbids. */
const looseStylesInDevelopment: Plugin = {
  name: 'loose-styles-in-development',
  apply: 'serve',
  transformIndexHtml: (html) => html.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'"),
};

export default defineConfig({
  worker: { format: 'es' },
  build: {
    target: 'es2023',
    sourcemap: true,
    // The largest piece is arbundles, which most visits never load.
    chunkSizeWarningLimit: 800,
    rolldownOptions: {
      output: {
        chunkFileNames: ({ moduleIds }) =>
          moduleIds.some((id) => id.includes('/arbundles/'))
            ? 'assets/arbundles-[hash].js'
            : 'assets/[name]-[hash].js',
      },
    },
  },
  plugins: [
    svelte(),
    looseStylesInDevelopment,
    VitePWA({
      strategies: 'injectManifest',
      srcDir: 'workers',
      filename: 'service-worker.ts',
      injectRegister: false,
      injectManifest: {
        globPatterns: ['**/*.{js,css,html,svg,png,woff2,json,wasm,lua}'],
        // Kept once it was needed: see the Service Worker.
        globIgnores: ['**/arbundles-*.js'],
        maximumFileSizeToCacheInBytes: 8 * 1024 * 1024,
      },
      manifest: false,
      devOptions: { enabled: true, type: 'module' },
    }),
  ],
});
