/** Made by the runner: the family files that it was asked for, by name (`importMap` in `setup/bundle.ts`). */
declare module 'virtual:families' {
  import type { Family } from './family.ts';
  export const modules: Record<string, () => Promise<{ default: Family }>>;
}
