/**
 * What a device is handed: the node's options and every capability it may use. Nothing is reached for;
 * clock, network, storage, keys and workers all come in here, so a device runs the same in a test.
 */
import type { Message } from '../message/message.ts';
import type { Value } from '../message/value.ts';
import type { WasmEngine, WasmStart } from '../engine/engine.ts';
import type { Drive } from '../engine/program.ts';
import type { LuaEngine, LuaHost, LuaStart } from '../engine/lua/contract.ts';
import type { Store } from '../store/store.ts';
import type { Device, Result } from './device.ts';

export interface Context extends Capabilities {
  /** The node message: options with their defaults underneath. `-` and `_` in names are the same. */
  readonly options: Message;
  option(name: string): Value | undefined;
  /** A context with these options laid over; `undefined` takes an option away. */
  withOptions(changes: Readonly<Record<string, Value | undefined>>): Context;
  /** The same with only these devices (and `message@1.0`): what untrusted programs resolve with. */
  restrictedTo?(devices: readonly string[]): Context;
  readonly cache: Cache;
  readonly devices: Devices;
  /** `Base(Req) -> Res`: a text request is a path (plain `/` splitting, resolver.md §2.1). */
  resolve(base: Value, request: Value): Promise<Result>;
  /** A whole parsed sequence, or a singleton with its own `path` (full path grammar). */
  resolveSequence(sequence: readonly Value[]): Promise<Result>;
  resolveSingleton(singleton: Message): Promise<Result>;
  /** Value at `path` or `fallback` (default `undefined`): no hashpath, no caching (resolver.md §2.7). */
  get(path: string, message: Value): Promise<Value | undefined>;
  /** Sets through the message's own device, deep paths included. */
  set(message: Message, changes: Readonly<Record<string, Value>>): Promise<Message>;
  /**
   * Changes the node message for good: the node's own options, on disk and for every request from now on.
   * Whoever calls it has checked that the operator wants it.
   */
  configure(changes: Readonly<Record<string, Value | undefined>>): Promise<void>;
  /** What the request from outside may be made again under; absent: it is not. */
  readonly call?: Call | undefined;
  /** What a device keeps for the life of the node and nowhere else (timers, counters), by the device's name. */
  memory<T>(device: string, create: () => T): T;
}

/**
 * A request from outside that is made again, with the same key, when the node moved meanwhile. What it schedules is on
 * disk under the key, so that it gets one slot however often it is made.
 */
export interface Call {
  readonly key: string;
  /** Processes with which it has scheduled: only the first message to each is meant. */
  readonly taken: Set<string>;
  /** What is scheduled from now on is remembered otherwise. */
  closed: boolean;
  /** It had its slot before. */
  repeated: boolean;
}

/** What the host gives a node. */
export interface Capabilities {
  readonly store: Store;
  readonly engines: Engines;
  readonly http: Transport;
  readonly clock: Clock;
  readonly identity: Identity;
  /** Something happened that a person may want to see; never awaited. */
  readonly report: (event: NodeEvent) => void;
}

/** Starts engines, each in a process worker of its own that can be killed. */
export interface Engines {
  /** `drive`: files from outside that the program may read. */
  startWasm(start: WasmStart, drive?: Drive): Promise<WasmEngine>;
  /** Lua machines have the same life; `host` answers `ao.resolve` and its like. */
  startLua(start: LuaStart, host: LuaHost): Promise<LuaEngine>;
}

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
}

/** The node's own wallet and any other it may sign with. */
export interface Identity {
  readonly address: string;
  /** RSA modulus, big endian. */
  readonly publicKey: Uint8Array;
  /** Raw signature by the key of `address`; salt length as messages.md §6.6. */
  sign(data: Uint8Array, algorithm: 'rsa-pss-sha512' | 'rsa-pss-sha256'): Promise<Uint8Array>;
}

/** One HTTP exchange, headers as a list of names and octets in their string form. */
export interface HttpRequest {
  readonly method: string;
  /** Path and query exactly as they came, or an absolute URL for outgoing requests. */
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array;
  /** Of a request to this node that may be made again: the same key each time (`Call`). */
  readonly once?: string;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array;
}

/** Outgoing HTTP: time-outs, retries and limits are its business. */
export interface Transport {
  request(
    request: HttpRequest,
    options?: { timeout?: number; maxBytes?: number; signal?: AbortSignal },
  ): Promise<HttpResponse>;
}

/** Messages by ID and path over the store (resolver.md §6). */
export interface Cache {
  /** Stores a message and all under it; answers its unsigned ID (a binary: `data/<hash>`). Every commitment ID leads to it. */
  write(value: Value): Promise<string>;
  /** The message or binary at an ID or path; nested messages are links. `undefined` if it is not there. */
  read(path: string): Promise<Value | undefined>;
  /** Loads a link (and a link it leads to); any other value is itself. @throws AoError `necessary-message-not-found` (404) */
  load(value: Value): Promise<Value>;
  /** Loads every link under a value. */
  loadAll(value: Value): Promise<Value>;
  /** `to` leads to what is at `from`. */
  link(from: string, to: string): Promise<void>;
  /** IDs of messages that have all these keys with exactly these values. */
  match(spec: Message): Promise<string[]>;
  list(path: string): Promise<string[]>;
}

export interface Devices {
  /** Adds a device for the life of the node. @throws AoError `device-exists` (409), `bad-device` (400) */
  register(device: Device): void;
  find(name: string): Device | undefined;
  names(): string[];
}

export interface NodeEvent {
  /** `slot-computed`, `slot-failed`, `assigned`, `runaway` … */
  readonly type: string;
  readonly [key: string]: unknown;
}
