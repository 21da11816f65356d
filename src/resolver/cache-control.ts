/** Cache control (resolver.md §6.4): who may say whether a result is looked up and stored. */
import { Message } from '../message/message.ts';
import { Atom, isBinary, type Value } from '../message/value.ts';
import { fromBytes } from '../base/bytes.ts';

export interface CacheSettings {
  readonly store: boolean;
  readonly lookup: boolean;
  readonly onlyIfCached: boolean;
}

interface Opinion {
  readonly store: boolean | undefined;
  readonly lookup: boolean | undefined;
  readonly onlyIfCached: boolean;
}

/** Specifiers of a header, an option or a list; commas separate (resolver.md §13, Q6). */
export function cacheSpecifiers(value: Value | undefined): string[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return (value as readonly Value[]).flatMap(cacheSpecifiers);
  const text = value instanceof Atom ? value.name : isBinary(value) ? textOf(value) : '';
  return text
    .split(',')
    .map((part) => part.trim().toLowerCase())
    .filter((part) => part !== '');
}

const textOf = (value: string | Uint8Array) => (typeof value === 'string' ? value : fromBytes(value));

function opinion(specifiers: readonly string[]): Opinion {
  const has = (name: string) => specifiers.includes(name);
  const store = has('always') ? true : has('no-store') ? false : has('store') ? true : undefined;
  const lookup = has('always') ? true : has('no-cache') ? false : has('cache') ? true : undefined;
  return { store, lookup, onlyIfCached: has('only-if-cached') };
}

function of(message: unknown): Opinion {
  return opinion(message instanceof Message ? cacheSpecifiers(message.get('cache-control')) : []);
}

/**
 * Combines what all sources say; the strongest that has an opinion wins.
 * `storing` is the result (for store) and `base` the base (for lookup); `options` outranks everything but
 * `hashpath: ignore`, under which nothing is stored.
 */
export function cacheSettings(sources: {
  request?: unknown;
  base?: unknown;
  result?: unknown;
  options?: Value | undefined;
  hashpath?: string;
}): CacheSettings {
  const request = of(sources.request);
  const base = of(sources.base);
  const result = of(sources.result);
  const options = opinion(cacheSpecifiers(sources.options));
  return {
    store: sources.hashpath !== 'ignore' && (options.store ?? result.store ?? request.store ?? false),
    lookup: options.lookup ?? base.lookup ?? request.lookup ?? true,
    onlyIfCached: [request, base, result, options].some((one) => one.onlyIfCached),
  };
}
