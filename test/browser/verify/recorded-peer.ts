/**
 * A node that serves a recorded process: its schedule as it was recorded, all other answers built from the recorded
 * slots and signed by a key of its own. A lie changes one answer on its way out.
 */
import { fromBase64, fromBytes, toBytes } from '../../../src/base/bytes.ts';
import { AoError } from '../../../src/base/errors.ts';
import { encodeJson } from '../../../src/codec/json.ts';
import { commitHttpsig } from '../../../src/commitment/httpsig.ts';
import { encodeHttp, toTabm } from '../../../src/commitment/http.ts';
import type { RsaWallet } from '../../../src/crypto/wallet.ts';
import { Message } from '../../../src/message/message.ts';
import { binaryBytes, isBinary, type Value } from '../../../src/message/value.ts';
import type { HttpRequest, HttpResponse, Transport } from '../../../src/resolver/context.ts';
import type { ProcessCase } from '../../conformance/families/support/process-case.ts';
import { toMessage, toValue } from '../../conformance/value.ts';

export type Lie = (path: string, answer: HttpResponse) => HttpResponse | Promise<HttpResponse>;

export class RecordedPeer implements Transport {
  readonly data: ProcessCase;
  readonly wallet: RsaWallet;
  /** Paths that were asked for, in order. */
  readonly asked: string[] = [];
  lie: Lie = (_, answer) => answer;
  /** A node need not sign what it answers. */
  signs = true;
  /** Changes a state before it is signed and sent. */
  state: (slot: number, state: Message) => Message = (_, state) => state;

  constructor(data: ProcessCase, wallet: RsaWallet) {
    this.data = data;
    this.wallet = wallet;
  }

  get origin(): string {
    return 'https://recorded.example';
  }

  get head(): number {
    return this.data.slots.length - 1;
  }

  async request(request: HttpRequest): Promise<HttpResponse> {
    const path = request.target.replace(/^https?:\/\/[^/]+/, '');
    this.asked.push(path);
    const json = request.headers.some(([name, value]) => name === 'accept' && value === 'application/json');
    return this.lie(path, await this.#answer(path, json));
  }

  async #answer(path: string, json: boolean): Promise<HttpResponse> {
    const id = this.data['process-id'];
    const base = `/${id}~process@1.0/`;
    if (path === `${base}slot/current`) return this.reply(BigInt(this.head));
    if (path.startsWith(`${base}schedule`)) return this.schedule(path);
    const computed = new RegExp(`^${base}compute&slot=(\\d+)(?:/(.*))?$`).exec(path);
    if (computed) return this.#compute(Number(computed[1]), computed[2], json);
    const stored = this.data.preload.find((entry) => path === `/${entry.id}`);
    if (stored?.message !== undefined) return this.reply(toValue(stored.message));
    return this.reply('not_found', 404);
  }

  schedule(path: string): HttpResponse {
    const { response } = this.data.schedule;
    const from = Number(/from=(\d+)/.exec(path)?.[1] ?? 0);
    if (from > this.head) return { status: 404, headers: [], body: new Uint8Array(0) };
    return {
      status: response.status,
      headers: Object.entries(response.headers),
      body: fromBase64(response.body),
    };
  }

  async #compute(slot: number, path: string | undefined, json: boolean): Promise<HttpResponse> {
    const recorded = this.data.slots.find((entry) => entry.slot === slot);
    if (!recorded || recorded.status >= 400) return this.reply('failed', recorded?.status ?? 404);
    const state = recorded.state === undefined ? Message.empty : toMessage(recorded.state);
    const whole = recorded.results === undefined ? state : state.with({ results: toValue(recorded.results) });
    let value: Value | undefined = this.state(slot, whole);
    for (const key of path?.split('/').filter(Boolean) ?? [])
      value = value instanceof Message ? value.get(key) : undefined;
    if (value === undefined) return this.reply('not_found', 404);
    return json ? this.#json(value) : this.reply(value);
  }

  async #json(value: Value): Promise<HttpResponse> {
    const message =
      value instanceof Message ? value : Message.of({ 'ao-result': 'body' }).with({ body: value });
    const body = toBytes(encodeJson(await toTabm(message, { bundle: true })));
    return { status: 200, headers: [['codec-device', 'json@1.0']], body };
  }

  /** A signed answer, nested messages in place. */
  async reply(value: Value, status = 200): Promise<HttpResponse> {
    const literal = !(value instanceof Message);
    const message = literal
      ? Message.from([
          ['ao-result', 'body'],
          ['body', value],
        ])
      : value;
    const whole = message.with({ status: BigInt(status) });
    const signed = this.signs ? await commitHttpsig(whole, this.wallet, {}) : whole;
    const form = await encodeHttp(signed, { bundle: true });
    const headers = [...form.headers].map(([name, text]): [string, string] => {
      if (!isBinary(text)) throw new AoError('bad-value', 'A header is no text.');
      return [name, fromBytes(binaryBytes(text))];
    });
    return { status, headers, body: form.body ?? new Uint8Array(0) };
  }
}
