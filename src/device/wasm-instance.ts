/**
 * The running instance that a state carries in its private part, between `wasm-64@1.0`, `json-iface@1.0` and
 * `process@1.0`. It belongs to exactly one state at a time: whoever hands out a state for reading takes it off.
 */
import type { WasmEngine } from '../engine/engine.ts';
import type { IdleEnd } from './machine-idle.ts';
import type { Message } from '../message/message.ts';
import type { CallOf } from './run-ahead.ts';

export interface WasmInstance {
  readonly engine: WasmEngine;
  /** b64u SHA-256 of the module. */
  readonly moduleHash: string;
  /** Set for an instance that no process owns. */
  readonly idle?: IdleEnd;
}

/** Texts that `json-iface@1.0` wants handed to `handle`, until `wasm-64@1.0` has done it; then the reply. */
export interface JsonCall {
  readonly message: string;
  readonly environment: string;
  readonly reply?: string;
  /** How the calls of later slots are told, where the machine may run ahead. */
  readonly following?: CallOf;
}

const INSTANCE = 'wasm-instance';
const CALL = 'json-call';

export function instanceOf(message: Message): WasmInstance | undefined {
  return message.private[INSTANCE] as WasmInstance | undefined;
}

export function withInstance(message: Message, instance: WasmInstance | undefined): Message {
  return message.withPrivate({ [INSTANCE]: instance });
}

export function callOf(message: Message): JsonCall | undefined {
  return message.private[CALL] as JsonCall | undefined;
}

export function withCall(message: Message, call: JsonCall | undefined): Message {
  return message.withPrivate({ [CALL]: call });
}
