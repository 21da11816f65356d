/**
 * Who signs what this page sends: the node's own key, or a wallet that the user chose. A wallet that went away is not
 * replaced silently: until the user decides, nothing is sent.
 */
import {
  AoError,
  forgetKey,
  openKeyFile,
  openWallet,
  type KeyWallet,
  type Wallet,
  type WalletKind,
} from '../../client/index.ts';
import { failure, type Failure } from './errors.ts';
import { session } from './session.svelte.ts';
import { toasts } from './toasts.svelte.ts';
import { keepWalletChoice, walletChosen } from './wallet-choice.ts';

/** What of a wallet is shown. */
interface Shown {
  kind: WalletKind;
  name: string;
  address: string;
  connected: boolean;
}

export const WALLET_NAMES: Record<WalletKind, string> = {
  wander: 'Wander',
  ethereum: 'Ethereum wallet',
  file: 'Key file',
  local: 'Local development key',
};

class Wallets {
  shown = $state.raw<Shown | undefined>();
  busy = $state<WalletKind | ''>('');
  problem = $state.raw<Failure | undefined>();
  #wallet: Wallet | undefined;
  #leave: () => void = () => {};

  /** Address of who signs; undefined until the node is open. */
  get signer(): string | undefined {
    return this.shown ? this.shown.address : session.info?.address;
  }

  /** The wallet of the last visit, where that takes no question to the user. */
  restore(): void {
    const kind = walletChosen();
    if (!kind) return;
    const name = WALLET_NAMES[kind];
    const opening = openWallet(kind, { silent: true });
    // Until it is there, what is sent waits for it: another signer would not be the one that was chosen.
    session.node.use(waiting(kind, name, opening));
    this.shown = { kind, name, address: '', connected: false };
    opening.then(
      (wallet) => this.#take(wallet),
      () => undefined,
    );
  }

  async connect(kind: WalletKind): Promise<void> {
    await this.#try(kind, () => openWallet(kind));
  }

  async useFile(file: File, keep: boolean): Promise<void> {
    await this.#try('file', () => openKeyFile(file, { keep }));
    if (!keep) keepWalletChoice(undefined);
  }

  /** Back to the node's own key; the wallet forgets this page where it can. */
  async disconnect(): Promise<void> {
    const wallet = this.#wallet;
    this.#leave();
    this.#wallet = undefined;
    this.shown = undefined;
    this.problem = undefined;
    keepWalletChoice(undefined);
    session.node.use(undefined);
    await wallet?.disconnect();
  }

  /** The private key of the local wallet, for a file. */
  exportKey(): Promise<JsonWebKey> {
    return (this.#wallet as KeyWallet).exportKey();
  }

  async deleteLocal(): Promise<void> {
    await this.disconnect();
    await forgetKey('local');
  }

  async #try(kind: WalletKind, open: () => Promise<Wallet>): Promise<void> {
    this.busy = kind;
    this.problem = undefined;
    try {
      this.#take(await open());
      keepWalletChoice(kind);
    } catch (thrown) {
      this.problem = failure(thrown);
    } finally {
      this.busy = '';
    }
  }

  #take(wallet: Wallet): void {
    this.#leave();
    this.#wallet = wallet;
    session.node.use(wallet);
    const show = () => {
      const { kind, name, address, connected } = wallet;
      this.shown = { kind, name, address, connected };
    };
    this.#leave = wallet.onChange(() => {
      const before = this.shown;
      show();
      if (!wallet.connected)
        toasts.show(`${wallet.name} is disconnected. Nothing is sent until you choose who signs.`, 'warning');
      else if (before?.address !== wallet.address)
        toasts.show(`${wallet.name} changed to another account, which signs from now on.`);
    });
    show();
  }
}

/** Stands for a wallet that is still being looked for. */
function waiting(kind: WalletKind, name: string, opening: Promise<Wallet>): Wallet {
  return {
    kind,
    name,
    address: '',
    connected: false,
    sign: (content) =>
      opening.then(
        (wallet) => wallet.sign(content),
        (cause: unknown) => {
          throw new AoError(
            'wallet-disconnected',
            `${name} is not connected. Connect it again, or let the node sign.`,
            {
              status: 403,
              cause,
            },
          );
        },
      ),
    onChange: () => () => {},
    disconnect: async () => {},
  };
}

export const wallets = new Wallets();
