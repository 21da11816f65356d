/** The steps of a `commit-multi` case, taken with keys of ours: one for each name. */
import { commitmentDevice } from '../../../../src/commitment/devices.ts';
import { committerOf, withoutCommitments } from '../../../../src/commitment/commitment.ts';
import type { Load } from '../../../../src/commitment/link.ts';
import { RsaWallet } from '../../../../src/crypto/wallet.ts';
import { message as messageDevice } from '../../../../src/device/message.ts';
import { Message } from '../../../../src/message/message.ts';
import { isResult } from '../../../../src/resolver/device.ts';
import type { NodeContext } from '../../../../src/resolver/node-context.ts';
import { type Json, Mismatch } from '../../family.ts';
import { fromValue, toMessage, toValue } from '../../value.ts';
import { commitDeviceName, commitRequest } from './commit-request.ts';
import { testContext } from './context.ts';

export interface Step {
  readonly by?: string;
  readonly address?: string;
  readonly commit?: Json;
  readonly set?: Json;
  readonly 'set-path'?: Json;
  readonly remove?: Json;
  readonly 'keep-committers'?: readonly string[];
  readonly 'replace-in-memory'?: Json;
  readonly forge?: string;
}

const wallets = new Map<string, Promise<RsaWallet>>();

/** The wallet of a name, made once for each worker. */
function walletOf(name: string): Promise<RsaWallet> {
  let wallet = wallets.get(name);
  if (!wallet) wallets.set(name, (wallet = RsaWallet.generate()));
  return wallet;
}

export async function replay(start: Message, steps: readonly Step[], load: Load): Promise<Message> {
  const context = await testContext();
  /** Our addresses by theirs. */
  const addresses = new Map<string, string>();
  let message = start;
  for (const step of steps) {
    if (step.commit !== undefined) {
      const signer = await walletOf(step.by ?? '');
      addresses.set(step.address ?? '', signer.address);
      const device = commitmentDevice(commitDeviceName(step.commit));
      if (!device) throw new Mismatch('a known device', step.commit, 'replay');
      message = await device.commit(message, commitRequest(step.commit), { signer, load });
    } else if (step.set !== undefined) message = await ask(message, 'set', toMessage(step.set), context);
    else if (step['set-path'] !== undefined)
      message = await ask(message, 'set-path', Message.from([['value', toValue(step['set-path'])]]), context);
    else if (step.remove !== undefined)
      message = await ask(message, 'remove', Message.from([['items', toValue(step.remove)]]), context);
    else if (step['replace-in-memory'] !== undefined)
      message = message.with(toMessage(step['replace-in-memory']));
    else if (step['keep-committers']) {
      const kept = new Set(step['keep-committers'].map((address) => addresses.get(address)));
      message = withoutCommitments(message, (_, commitment) => !kept.has(committerOf(commitment)));
    } else throw new Mismatch('a known step', step, 'replay');
  }
  return message;
}

async function ask(base: Message, key: string, request: Message, context: NodeContext): Promise<Message> {
  const answer = await messageDevice.keys[key]!(base, request, context);
  const value = isResult(answer) ? answer.value : answer;
  if (value instanceof Message) return value;
  throw new Mismatch('a message', fromValue(value), `replay ${key}`);
}
