/**
 * A view of an instance's linear memory that survives growth, for 32- and 64-bit modules alike.
 * Addresses are plain numbers (below 2^53); what crosses a call is BigInt in a 64-bit module.
 */
import { growMemory } from './webassembly.ts';
import { PAGE_BYTES } from './engine.ts';

export type Word = number | bigint;

const encoder = new TextEncoder();
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder('utf-8', { ignoreBOM: true });

export class LinearMemory {
  readonly memory: WebAssembly.Memory;
  readonly wordBits: 32 | 64;
  /** Bytes of a pointer. */
  readonly word: 4 | 8;
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView<ArrayBuffer>;

  constructor(memory: WebAssembly.Memory, wordBits: 32 | 64) {
    this.memory = memory;
    this.wordBits = wordBits;
    this.word = wordBits === 64 ? 8 : 4;
    this.#bytes = new Uint8Array(memory.buffer);
    this.#view = new DataView(memory.buffer);
  }

  /** The bytes as they are now. Growth detaches the old buffer, whose length is then 0. */
  get bytes(): Uint8Array<ArrayBuffer> {
    if (this.#bytes.byteLength === 0) this.#refresh();
    return this.#bytes;
  }

  get view(): DataView<ArrayBuffer> {
    if (this.#bytes.byteLength === 0) this.#refresh();
    return this.#view;
  }

  get byteLength(): number {
    return this.bytes.byteLength;
  }

  #refresh(): void {
    this.#bytes = new Uint8Array(this.memory.buffer);
    this.#view = new DataView(this.memory.buffer);
  }

  grow(pages: number): boolean {
    return growMemory(this.memory, pages, this.wordBits);
  }

  growTo(byteLength: number): boolean {
    const missing = byteLength - this.byteLength;
    return missing <= 0 || this.grow(Math.ceil(missing / PAGE_BYTES));
  }

  /** An address as the module gives it. */
  address(word: Word): number {
    return typeof word === 'bigint' ? Number(BigInt.asUintN(64, word)) : word >>> 0;
  }

  /** An address as the module takes it. */
  pointer(address: number): Word {
    return this.wordBits === 64 ? BigInt(address) : address | 0;
  }

  /** A signed size or count as the module gives it. */
  signed(word: Word): number {
    return Number(word);
  }

  readWord(at: number): number {
    return this.word === 8 ? Number(this.view.getBigUint64(at, true)) : this.view.getUint32(at, true);
  }

  writeWord(at: number, value: number): void {
    if (this.word === 8) this.view.setBigUint64(at, BigInt(value), true);
    else this.view.setUint32(at, value, true);
  }

  readInt(at: number): number {
    return this.view.getInt32(at, true);
  }

  writeInt(at: number, value: number): void {
    this.view.setInt32(at, value, true);
  }

  writeLong(at: number, value: number): void {
    this.view.setBigInt64(at, BigInt(value), true);
  }

  readLong(at: number): number {
    return Number(this.view.getBigInt64(at, true));
  }

  /** Length of the NUL-terminated text at `at`; to the end of memory if nothing ends it. */
  textLength(at: number): number {
    const end = this.bytes.indexOf(0, at);
    return (end < 0 ? this.byteLength : end) - at;
  }

  /** The NUL-terminated text at `at`; octets that are not UTF-8 become U+FFFD. */
  text(at: number): string {
    return lenient.decode(this.bytes.subarray(at, at + this.textLength(at)));
  }

  /** The text if it is valid UTF-8, else undefined. */
  strictText(at: number): string | undefined {
    try {
      return strict.decode(this.bytes.subarray(at, at + this.textLength(at)));
    } catch {
      return undefined;
    }
  }

  /** Writes octets and a NUL behind them. */
  writeText(at: number, octets: Uint8Array): void {
    this.bytes.set(octets, at);
    this.bytes[at + octets.length] = 0;
  }
}

export function utf8Bytes(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}
