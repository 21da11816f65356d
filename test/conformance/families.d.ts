/** Made by the runner: the family files that it was asked for, by name (see `build.ts`). */
declare module 'virtual:families' {
  import type { Family } from './family.ts';
  export const families: Record<string, () => Promise<{ default: Family }>>;
}
