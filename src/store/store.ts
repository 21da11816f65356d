/**
 * The one storage interface of the node: tables of structured-cloneable values, written in atomic batches.
 *
 * A slot is committed in one `write`: result, state, outbox and head pointer together or not at all. What is
 * computed (hashes, encodings) is computed before the call, since an IndexedDB transaction does not wait.
 * Meaning (messages, links, schedules) is laid over it by `resolver/cache.ts` and the devices.
 */

/** Ordered as IndexedDB orders keys: numbers before strings before arrays, arrays element by element. */
export type Key = string | number | readonly (string | number)[];

/**
 * | table       | key                  | value                                               | can be recomputed |
 * |-------------|----------------------|-----------------------------------------------------|-------------------|
 * | messages    | unsigned ID          | a message as plain data (`message/plain.ts`)        | no  |
 * | links       | path or other ID     | path or ID that it leads to                         | no  |
 * | data        | b64u SHA-256         | bytes of large binaries                             | no  |
 * | matches     | [hash, key, ID]      | 1: which message has which value (`query@1.0`)      | yes |
 * | results     | [hashpath, request]  | ID of a computed result                             | yes |
 * | processes   | process ID           | head: slot, hash chain, kind, name, own or remote   | no  |
 * | assignments | [process ID, slot]   | ID and plain form of the assignment                 | no  |
 * | slots       | [process ID, slot]   | states up to that slot that were written together  | yes |
 * | snapshots   | [process ID, slot]   | manifest: page hashes, sizes, globals               | yes |
 * | pages       | b64u SHA-256         | 64 KiB of memory; never one that is all zero        | yes |
 * | node        | name                 | node message, counters, settings                    | no  |
 * | keys        | name                 | WebCrypto keys                                      | no  |
 * | peers       | URL                  | health, latency, attestation                        | yes |
 * | evidence    | ID                   | contradictions and reports                          | no  |
 */
export const TABLES = [
  'messages',
  'links',
  'data',
  'matches',
  'results',
  'processes',
  'assignments',
  'slots',
  'snapshots',
  'pages',
  'node',
  'keys',
  'peers',
  'evidence',
] as const;

export type Table = (typeof TABLES)[number];

/** One change; without `value` the key is deleted, with `to` every key from `key` to `to` (both inclusive). */
export interface Write {
  readonly table: Table;
  readonly key: Key;
  readonly value?: unknown;
  readonly to?: Key;
}

export interface Range {
  /** Inclusive bounds; absent means open. */
  readonly from?: Key;
  readonly to?: Key;
  readonly reverse?: boolean;
  readonly limit?: number;
}

export interface Entry<T> {
  readonly key: Key;
  readonly value: T;
}

export interface Store {
  get<T>(table: Table, key: Key): Promise<T | undefined>;
  /** In the order of `keys`, in one transaction. */
  getMany<T>(table: Table, keys: readonly Key[]): Promise<(T | undefined)[]>;
  range<T>(table: Table, range?: Range): Promise<Entry<T>[]>;
  keys(table: Table, range?: Range): Promise<Key[]>;
  /**
   * All of `writes` or none. Values must not be changed until it has answered.
   * `durable` waits until the medium has it (schedules, keys); otherwise the browser may hold it back a moment.
   * @throws AoError `storage-full` (507), `storage-closed` (503)
   */
  write(writes: readonly Write[], options?: { durable?: boolean }): Promise<void>;
  close(): Promise<void>;
}
