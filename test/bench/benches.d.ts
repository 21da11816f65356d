/** Made by the runner: the benchmarks that it was asked for, by name (`importMap` in `setup/bundle.ts`). */
declare module 'virtual:benches' {
  import type { Bench } from './bench.ts';
  export const modules: Record<string, () => Promise<{ default: Bench }>>;
}
