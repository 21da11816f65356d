import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, type Plugin } from 'vite';

/** The app on a fake node, for work on its screens: `vite --config test/e2e/fake.vite.config.ts`. */
const fake = fileURLToPath(new URL('./fake-node.ts', import.meta.url));

const onFakeNode: Plugin = {
  name: 'fake-node',
  enforce: 'pre',
  resolveId: (source) => (source.endsWith('/client/index.ts') ? fake : undefined),
};

export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  cacheDir: 'node_modules/.vite-fake',
  build: { target: 'es2023', outDir: '.cache/fake-app', emptyOutDir: true },
  plugins: [onFakeNode, svelte()],
});
