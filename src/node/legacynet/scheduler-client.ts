/** Reading the schedule of a legacynet scheduler unit (process.md §5.1): where it is, and its pages. */
import { AoError } from '../../base/errors.ts';
import type { Context } from '../../resolver/context.ts';
import type { ShownItem } from '../../verify/legacy-item.ts';
import type { ShownSlot } from '../../verify/legacy-audit.ts';
import type { GatewayClient } from './gateway-client.ts';
import { askJson, hostOf, unitUrl } from './json-fetch.ts';

const LOCATION = 'legacynet-location';
/** Milliseconds that a record of a place is believed at most, whatever it says. */
const MAX_AGE = 24 * 3_600_000;
const TIMEOUT = 60_000;
const MAX_PAGE = 64 * 1024 * 1024;

interface KeptLocation {
  readonly url: string;
  readonly until: number;
}

/**
 * URL of the scheduler with this address: as it was found lately, else by the newest record that a gateway knows.
 * @throws AoError `scheduler-unknown` (404), those of the gateway
 */
export async function locateScheduler(
  address: string,
  gateway: GatewayClient,
  context: Context,
  fresh = false,
): Promise<string> {
  const key = [LOCATION, gateway.url, address];
  const kept = fresh ? undefined : await context.store.get<KeptLocation>('node', key);
  const now = context.clock.now();
  if (kept && kept.until > now) return kept.url;
  const found = await gateway.location(address);
  if (!found)
    throw new AoError(
      'scheduler-unknown',
      `The gateway at ${hostOf(gateway.url)} knows no place of the scheduler ${address}.`,
      { status: 404, detail: { address } },
    );
  const until = now + Math.min(Math.max(found.timeToLive, 0), MAX_AGE);
  await context.store.write([
    { table: 'node', key, value: { url: found.url, until } satisfies KeptLocation },
  ]);
  return found.url;
}

export interface SchedulePart {
  readonly slots: readonly ShownSlot[];
  /** The scheduler says that there is more behind. */
  readonly more: boolean;
}

export class SchedulerClient {
  readonly url: string;
  readonly #process: string;
  readonly #context: Context;
  readonly #signal: AbortSignal | undefined;
  /** Some units know timestamps alone. */
  #byTime = false;

  /** @throws AoError `bad-url` (400) */
  constructor(url: string, process: string, context: Context, signal?: AbortSignal) {
    this.url = unitUrl(url);
    this.#process = process;
    this.#context = context;
    this.#signal = signal;
  }

  /**
   * The slots after `slot` (-1 for all), `limit` at most; `timestamp`: that of `slot`, in milliseconds.
   * @throws AoError `scheduler-form`, `scheduler-pages` (502), `not-json`, `redirect-circle`, those of the transport
   */
  async after(slot: number, timestamp: number, limit: number): Promise<SchedulePart> {
    if (!this.#byTime) {
      const part = await this.#page({ 'from-nonce': String(slot) }, limit);
      const first = nonceOf(part.slots[0]);
      // A unit that does not know nonces begins at the beginning.
      if (first === undefined || first === slot + 1 || slot < 0 || first > slot + 1) return part;
      this.#byTime = true;
    }
    // The slot itself may come along: two slots may be of one millisecond.
    const part = await this.#page(slot < 0 ? {} : { from: String(Math.max(0, timestamp - 1)) }, limit + 1);
    const slots = part.slots.filter((shown) => (nonceOf(shown) ?? Infinity) > slot);
    if (slots.length === 0 && part.more) throw endless(this.url);
    return { slots, more: part.more };
  }

  /** Newest nonce, as the scheduler says; undefined where it does not answer that. */
  async head(): Promise<number | undefined> {
    try {
      const shown = (await this.#ask(`${this.#process}/latest?process-id=${this.#process}`)) as ShownSlot;
      return nonceOf(shown);
    } catch (thrown) {
      const { code } = AoError.wrap(thrown);
      if (code === 'cancelled') throw thrown;
      return undefined;
    }
  }

  /** The definition as the scheduler shows it, with the block that it says it is in. Nothing of it is checked. */
  async definition(): Promise<{ shown: ShownItem; height: number | undefined }> {
    const record = (await this.#ask(`processes/${this.#process}`)) as
      (ShownItem & { block?: unknown }) | null;
    if (typeof record !== 'object' || record === null) throw malformed(this.url);
    const height = Number.parseInt(String(record.block), 10);
    return { shown: { ...record, id: this.#process }, height: Number.isFinite(height) ? height : undefined };
  }

  async #page(range: Record<string, string>, limit: number): Promise<SchedulePart> {
    const query = new URLSearchParams({ 'process-id': this.#process, ...range, limit: String(limit) });
    const reply = (await this.#ask(`${this.#process}?${query}`)) as {
      page_info?: { has_next_page?: unknown };
      edges?: unknown;
    } | null;
    if (!Array.isArray(reply?.edges)) throw malformed(this.url);
    if (reply.edges.length > 10 * limit) throw endless(this.url);
    const more = reply.page_info?.has_next_page === true;
    const slots = (reply.edges as ({ node?: ShownSlot } | null)[]).map((edge) => edge?.node ?? {});
    if (more && slots.length === 0) throw endless(this.url);
    return { slots, more };
  }

  #ask(path: string): Promise<unknown> {
    return askJson(`${this.url}/${path}`, this.#context, {
      who: 'scheduler',
      timeout: TIMEOUT,
      maxBytes: MAX_PAGE,
      signal: this.#signal,
    });
  }
}

/** Nonce that an entry says it has. */
export function nonceOf(shown: ShownSlot | undefined): number | undefined {
  const tags = shown?.assignment?.tags;
  if (!Array.isArray(tags)) return undefined;
  const found = (tags as { name?: unknown; value?: unknown }[]).find((tag) => tag?.name === 'Nonce');
  return typeof found?.value === 'string' && /^\d{1,15}$/.test(found.value) ? Number(found.value) : undefined;
}

function malformed(url: string): AoError {
  return new AoError(
    'scheduler-form',
    `The scheduler at ${hostOf(url)} answers with something that is no schedule.`,
    {
      status: 502,
      detail: { url },
    },
  );
}

function endless(url: string): AoError {
  return new AoError(
    'scheduler-pages',
    `The scheduler at ${hostOf(url)} speaks of more, and shows nothing that is new.`,
    { status: 502, detail: { url } },
  );
}
