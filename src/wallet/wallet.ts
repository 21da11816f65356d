/** What a wallet is to this library: somebody in this page who signs data items (ANS-104), whoever keeps the key. */
import type { ItemContent } from '../protocol/api.ts';

export type WalletKind = 'wander' | 'ethereum' | 'file' | 'local';

export interface Wallet {
  readonly kind: WalletKind;
  /** For people: `Wander`, `MetaMask`, the name of a file. */
  readonly name: string;
  /** 43 characters for Arweave keys, `0x…` for Ethereum ones; of the account that is active now. */
  readonly address: string;
  /** False once it was disconnected, here or in the wallet itself: then it signs nothing. */
  readonly connected: boolean;
  /**
   * The signed item, checked: it is what was asked for, and its signature is this wallet's.
   * @throws AoError `wallet-refused` (403), `wallet-disconnected` (403), `wallet-differs` (502), `wallet-failed` (502)
   */
  sign(content: ItemContent): Promise<Uint8Array>;
  /** Calls `listener` when account or connection change; returns the function that ends it. */
  onChange(listener: () => void): () => void;
  /** Ends the connection. The wallet forgets this page where it can. */
  disconnect(): Promise<void>;
}

/** Listeners, and whether there is still a connection: what every wallet has. */
export class Connection {
  readonly #listeners = new Set<() => void>();
  #connected = true;

  get connected(): boolean {
    return this.#connected;
  }

  readonly onChange = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  changed(): void {
    for (const listener of this.#listeners) listener();
  }

  end(): void {
    if (!this.#connected) return;
    this.#connected = false;
    this.changed();
  }
}
