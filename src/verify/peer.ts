/**
 * A remote node, asked over HTTP: what a HyperBEAM node offers and nothing else. A peer can be slow, endless or
 * lying; limits on time, size and redirects keep it from doing more than slowing us down. Nothing is believed here.
 */
import { AoError } from '../base/errors.ts';
import { hasWrongDigest } from '../codec/httpsig.ts';
import { httpForm } from '../commitment/http.ts';
import { uncommitted } from '../commitment/commitment.ts';
import { contentId, messageId } from '../commitment/id.ts';
import { committers, withOnlyCommitted } from '../commitment/select.ts';
import { verifyMessage } from '../commitment/verify.ts';
import { assignmentsOf } from '../device/remote-schedule.ts';
import { integerOf, textOf } from '../device/values.ts';
import { Message } from '../message/message.ts';
import { isBinary, type Value } from '../message/value.ts';
import type { HttpResponse, Transport } from '../resolver/context.ts';
import { decodeReply, resultOf } from '../resolver/reply.ts';
import { isEnvelope } from './transport-fields.ts';

/** Limits on one answer, in bytes. */
const MAX_ANSWER = 64 * 1024 * 1024;
const MAX_PAGE = 256 * 1024 * 1024;
/** Of all answers of one node in one verification. */
const MAX_ALL = 2 * 1024 * 1024 * 1024;
/** Milliseconds for one answer, and for one that a node may have to compute first. */
const TIMEOUT = 60_000;
const COMPUTE_TIMEOUT = 180_000;
/** Slots on a page of a schedule: the most that nodes give at once, and the fewest that one is asked for. */
const PAGE_SLOTS = 1000;
const FEWEST_SLOTS = 1;
/** What a node that is asked for too much at once answers with. */
const OVERBURDENED = new Set(['peer-timeout', 'peer-unreachable', 'peer-too-large', 'peer-refused']);
/** HTTP fields cannot carry every text: this asks for a body that can. */
const AS_JSON = [['accept', 'application/json']] as const;

type Fields = readonly (readonly [string, string])[];

export interface Answer {
  readonly target: string;
  readonly response: HttpResponse;
  /** The whole reply, unverified. */
  readonly message: Message;
  /** What the path is about. */
  readonly value: Value;
}

export interface SchedulePage {
  /** By the slot under which the node listed them, ascending. */
  readonly assignments: readonly { readonly key: number | undefined; readonly assignment: Message }[];
  readonly continues: boolean;
  /** As it came, for evidence. */
  readonly target: string;
  readonly response: HttpResponse;
}

export class Peer {
  /** `https://host`, without a slash at the end. */
  readonly origin: string;
  readonly #http: Transport;
  readonly #signal: AbortSignal | undefined;
  readonly #maxBytes: number;
  #pageSlots = PAGE_SLOTS;
  /** Bytes received. */
  bytes = 0;

  constructor(
    origin: string,
    http: Transport,
    {
      signal,
      maxBytes = MAX_ALL,
    }: { readonly signal?: AbortSignal | undefined; readonly maxBytes?: number | undefined } = {},
  ) {
    this.origin = origin.replace(/\/+$/, '');
    this.#http = http;
    this.#signal = signal;
    this.#maxBytes = maxBytes;
  }

  async #get(path: string, most: number, timeout: number, fields: Fields): Promise<HttpResponse> {
    const maxBytes = Math.min(most, this.#maxBytes - this.bytes);
    if (maxBytes <= 0) throw this.#tooMuch();
    const response = await this.#http.request(
      {
        method: 'GET',
        target: this.origin + path,
        headers: [['accept-bundle', 'true'], ...fields],
        body: new Uint8Array(0),
      },
      { timeout, maxBytes, ...(this.#signal ? { signal: this.#signal } : {}) },
    );
    this.bytes += response.body.length;
    if (this.bytes > this.#maxBytes) throw this.#tooMuch();
    return response;
  }

  #tooMuch(): AoError {
    return new AoError('peer-too-large', `${this.host} answers with more than is taken from one node.`, {
      status: 502,
      detail: { maxBytes: this.#maxBytes, all: true },
    });
  }

  /**
   * The answer at a path, read but not believed.
   * @throws AoError `peer-refused` for a status of 300 and above, `peer-unreadable`, `wrong-digest`
   */
  async ask(
    path: string,
    maxBytes = MAX_ANSWER,
    { timeout = TIMEOUT, fields = [] }: { timeout?: number; fields?: Fields } = {},
  ): Promise<Answer> {
    const response = await this.#get(path, maxBytes, timeout, fields);
    const target = this.origin + path;
    // The transport follows redirects; one that is left leads nowhere.
    if (response.status >= 300)
      throw new AoError('peer-refused', `${this.host} answers ${path} with status ${response.status}.`, {
        status: 502,
        detail: { status: response.status, path },
      });
    return { target, response, ...decodeAnswer(response) };
  }

  /** The newest slot that the node says there is. */
  async current(process: string): Promise<number> {
    const { value } = await this.ask(`/${process}~process@1.0/slot/current`, 1024 * 1024);
    const slot = integerOf(value instanceof Message ? value.get('current') : value);
    if (slot === undefined || slot < 0)
      throw new AoError('peer-unreadable', `${this.host} does not say how many slots there are.`, {
        status: 502,
      });
    return slot;
  }

  /** Assignments from a slot on, as many as the node puts on a page; of a node that cannot, fewer. */
  async schedule(process: string, from: number, to: number): Promise<SchedulePage> {
    for (;;) {
      const until = Math.min(to, from + this.#pageSlots);
      try {
        return await this.#page(process, from, until);
      } catch (thrown) {
        const { code } = AoError.wrap(thrown);
        if (this.bytes >= this.#maxBytes) throw thrown;
        const slots = Math.min(this.#pageSlots, until - from) >> 2;
        if (!OVERBURDENED.has(code) || slots < FEWEST_SLOTS) throw thrown;
        this.#pageSlots = slots;
      }
    }
  }

  async #page(process: string, from: number, to: number): Promise<SchedulePage> {
    // The first page has no range: it is what every node answers, also one that serves a recorded file.
    const whole = from === 0 && this.#pageSlots === PAGE_SLOTS;
    const range = whole ? '' : `&from=${from}&to=${to}`;
    const { message, target, response } = await this.ask(
      `/${process}~process@1.0/schedule${range}`,
      MAX_PAGE,
    );
    const all = message.get('assignments');
    if (!(all instanceof Message) && !Array.isArray(all))
      return { assignments: [], continues: false, target, response };
    const keyed = all instanceof Message;
    const keys = keyed ? [...all.keys()].filter((key) => /^\d{1,15}$/.test(key)).map(Number) : [];
    keys.sort((a, b) => a - b);
    const assignments = assignmentsOf(message).map((assignment, index) => ({
      key: keyed ? keys[index] : undefined,
      assignment,
    }));
    return {
      assignments: assignments.filter(({ key }) => key === undefined || (key >= from && key <= to)),
      continues: textOf(message.get('continues')) === 'true',
      target,
      response,
    };
  }

  /** The state after a slot, or the value at a path in it. */
  async compute(process: string, slot: number, path = ''): Promise<Answer> {
    const target = computePath(process, slot, path);
    try {
      return await this.ask(target, MAX_ANSWER, { timeout: COMPUTE_TIMEOUT });
    } catch (thrown) {
      // A value that HTTP fields cannot carry breaks the whole answer: the connection then seems to fail.
      if (AoError.wrap(thrown).code !== 'peer-unreachable') throw thrown;
      return this.ask(target, MAX_ANSWER, { fields: AS_JSON }).catch(() => Promise.reject(thrown as Error));
    }
  }

  /** The same in JSON, which carries every text. */
  computeJson(process: string, slot: number, path = ''): Promise<Answer> {
    return this.ask(computePath(process, slot, path), MAX_ANSWER, { fields: AS_JSON });
  }

  /**
   * The message or binary with this ID, which is checked: a node that answers something else is caught here.
   * @throws AoError `wrong-content` (502)
   */
  async byId(id: string): Promise<Value> {
    const { message, value, response } = await this.ask(`/${id}`, MAX_PAGE);
    const content = value === message ? message.without('status') : value;
    // What a node or a proxy adds to every answer is no part of what it was asked for; a type may be either's.
    const bare = message.filter((key) => key === 'commitments' || !isEnvelope(key));
    const type = message.get('content-type');
    const typed = type === undefined ? bare : bare.with({ 'content-type': type });
    for (const candidate of [content, typed, bare, message, response.body]) {
      const found = await withId(candidate, id);
      if (found !== undefined) return found;
    }
    throw new AoError('wrong-content', `${this.host} answers the ID ${id} with something that has another.`, {
      status: 502,
      detail: { id },
    });
  }

  get host(): string {
    return this.origin.replace(/^[a-z]+:\/\//, '');
  }
}

function computePath(process: string, slot: number, path: string): string {
  return `/${process}~process@1.0/compute&slot=${slot}${path === '' ? '' : `/${path}`}`;
}

/**
 * The value if this is its ID: computed from the content, or by signatures that verify. What a message says of its
 * own unsigned ID proves nothing.
 */
export async function withId(value: Value, id: string): Promise<Value | undefined> {
  if (!(value instanceof Message)) return isBinary(value) && messageId(value) === id ? value : undefined;
  const bare = uncommitted(value);
  if (contentId(bare) === id) return bare;
  const signed = committers(value).length > 0 && messageId(value, 'signed') === id;
  return signed && (await verifyMessage(value)) ? withOnlyCommitted(value) : undefined;
}

/** @throws AoError `wrong-digest`, `peer-unreadable` */
export function decodeAnswer(response: HttpResponse): { message: Message; value: Value } {
  const form = httpForm(response.headers, response.body.length ? response.body : undefined);
  if (form.headers.has('content-digest') && hasWrongDigest(form))
    throw new AoError('wrong-digest', 'The body is not the one that the answer’s own content-digest names.', {
      status: 502,
    });
  try {
    const message = decodeReply(response);
    return { message, value: resultOf(message) };
  } catch (cause) {
    const { message } = AoError.wrap(cause);
    throw new AoError('peer-unreadable', `The answer cannot be read: ${message}`, { status: 502, cause });
  }
}

export interface Target {
  readonly origin: string;
  readonly process: string;
  /** Slot that the URL names; undefined for `now`. */
  readonly slot: number | undefined;
  /** As the URL has it: percent-encoded. */
  readonly path: string;
}

/** The keys that a path of a URL names. */
export function plainPath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/**
 * What a URL asks of which node: `https://host/PID~process@1.0/now/key/…` or `…/compute&slot=N/key/…`.
 * @throws AoError `bad-url` (400), `legacynet-url` (400) for what a compute unit of legacynet answers
 */
export function parseTarget(url: string): Target {
  const match =
    /^(https?:\/\/[^/?#]+)\/([A-Za-z0-9_-]{43})(?:~process@1\.0)?(?:\/([^?#]*))?(?:\?([^#]*))?(?:#.*)?$/.exec(
      url.trim(),
    );
  if (
    !match &&
    /^https?:\/\/[^/?#]+\/(?:result|results|state|dry-run)\b[^#]*[A-Za-z0-9_-]{43}/.test(url.trim())
  )
    throw new AoError(
      'legacynet-url',
      'This is what a compute unit of legacynet answers. Follow the process, and its results are held against the unit’s.',
      { detail: { url: url.slice(0, 200) } },
    );
  if (!match)
    throw new AoError(
      'bad-url',
      'A URL to verify looks like https://host/<process ID>~process@1.0/now/key.',
      {
        detail: { url: url.slice(0, 200) },
      },
    );
  const [, origin, process, rest = 'now', query = ''] = match;
  const [first = 'now', ...path] = rest.split('/').filter((part) => part !== '');
  const named = /^compute(?:[&=].*)?$/.test(first);
  if (first !== 'now' && !named)
    throw new AoError('bad-url', 'Only what is under now or compute can be verified.', {
      detail: { key: first },
    });
  const slot = /(?:^compute=|[&?]slot(?:\+integer)?=)(\d{1,15})(?!\d)/.exec(`${first}?${query}`)?.[1];
  if (slot === undefined && /=/.test(`${first}${query}`) && /(?:^compute=|slot)/.test(`${first}?${query}`))
    throw new AoError('bad-url', 'The slot in the URL is no number.', { detail: { key: first } });
  return {
    origin: origin!,
    process: process!,
    slot: slot === undefined ? undefined : Number(slot),
    path: path.join('/'),
  };
}
