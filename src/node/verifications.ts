/**
 * Verifications as a page runs them: started, watched, paused, cancelled, and gone on with after the node moved or
 * the page was reloaded. What was audited and computed so far is in the store, so going on pays only for the rest.
 */
import { AoError } from '../base/errors.ts';
import { toBase64Url, toBytes } from '../base/bytes.ts';
import { encodeJson } from '../codec/json.ts';
import { toTabm } from '../commitment/http.ts';
import { messageId } from '../commitment/id.ts';
import { Schedules } from '../device/schedules.ts';
import { readHead } from '../device/schedule-records.ts';
import { Message } from '../message/message.ts';
import type { EvidenceInfo, TrustList, Verification, VerifyRequest } from '../protocol/api.ts';
import type { NodeContext } from '../resolver/node-context.ts';
import { against, evidenceText, type Evidence } from '../verify/evidence.ts';
import { parseTarget } from '../verify/peer.ts';
import { reportMessage } from '../verify/report.ts';
import type { TrustEntry } from '../attestation/trust.ts';
import { verify, type Progress, type VerifyOptions } from '../verify/verify.ts';
import { signMessage } from './sign-message.ts';

const PREFIX = 'verification/';
/** Pages are told of progress at most this often, milliseconds. */
const TELL = 200;
/** Over how long the rate is measured, milliseconds. */
const RATE_WINDOW = 3_000;
const MAX_PEERS = 32;

export class Verifications {
  readonly #context: NodeContext;
  readonly #known = new Map<string, Verification>();
  readonly #running = new Map<string, AbortController>();
  readonly #ready: Promise<void>;

  constructor(context: NodeContext) {
    this.#context = context;
    this.#ready = this.#restore();
  }

  /** Those that were under way when the node stopped go on. */
  async #restore(): Promise<void> {
    const range = { from: PREFIX, to: `${PREFIX}\uffff` };
    for (const key of await this.#context.store.keys('evidence', range)) {
      const found = await this.#context.store.get<Verification>('evidence', key);
      if (!found) continue;
      this.#known.set(found.id, found);
      if (found.state === 'running') void this.#run(found);
    }
  }

  async list(): Promise<Verification[]> {
    await this.#ready;
    return [...this.#known.values()].sort((a, b) => b.startedAt - a.startedAt);
  }

  /** @throws AoError `bad-url`, `too-many-peers` */
  async start(request: VerifyRequest): Promise<Verification> {
    await this.#ready;
    parseTarget(request.url);
    const peers = (request.peers ?? []).map(originOf);
    if (peers.length > MAX_PEERS)
      throw new AoError('too-many-peers', `At most ${MAX_PEERS} nodes can be asked at once.`);
    const started: Verification = {
      id: toBase64Url(crypto.getRandomValues(new Uint8Array(12))),
      request: { ...request, url: request.url.trim(), ...(peers.length ? { peers } : {}) },
      state: 'running',
      startedAt: this.#context.clock.now(),
    };
    await this.#keep(started);
    void this.#run(started);
    return started;
  }

  /** Stops it and keeps it: `resume` goes on. */
  async pause(id: string): Promise<void> {
    const found = await this.#find(id);
    if (found.state !== 'running') return;
    await this.#keep({ ...found, state: 'paused' });
    this.#running.get(id)?.abort();
  }

  /** Goes on with a paused one, or makes a finished one again: only new slots cost anything. */
  async resume(id: string): Promise<void> {
    const { id: same, request, state } = await this.#find(id);
    if (state === 'running') return;
    const next: Verification = { id: same, request, state: 'running', startedAt: this.#context.clock.now() };
    await this.#keep(next);
    void this.#run(next);
  }

  /** Stops it and forgets it. Evidence that it found is kept. */
  async remove(id: string): Promise<void> {
    await this.#find(id);
    this.#known.delete(id);
    this.#running.get(id)?.abort();
    await this.#context.store.write([{ table: 'evidence', key: PREFIX + id }], { durable: true });
    this.#tell(id);
  }

  /** The report as a message that this node has signed, in JSON. @throws AoError `no-report` (404) */
  async exportReport(id: string): Promise<Uint8Array> {
    const { report, reportId } = await this.#find(id);
    if (!report) throw new AoError('no-report', 'This verification has no report yet.', { status: 404 });
    const kept = reportId === undefined ? undefined : await this.#context.cache.read(reportId);
    // What was removed to make room is signed anew: the same report, under another ID.
    const signed = kept instanceof Message ? kept : await signMessage(reportMessage(report), this.#context);
    const load = this.#context.cache.load.bind(this.#context.cache);
    return toBytes(encodeJson(await toTabm(signed, { bundle: true, load })));
  }

  /** A piece of evidence as the file that anybody can check. @throws AoError `no-evidence` (404) */
  async evidence(id: string): Promise<Uint8Array> {
    const found = await this.#context.store.get<Evidence>('evidence', id);
    if (!found || id.startsWith(PREFIX))
      throw new AoError('no-evidence', 'There is no such evidence here.', { status: 404, detail: { id } });
    return toBytes(evidenceText(found));
  }

  async evidenceList(): Promise<EvidenceInfo[]> {
    const entries = await this.#context.store.range<Evidence>('evidence');
    return entries
      .filter(({ key }) => !String(key).startsWith(PREFIX))
      .map(({ key, value: { kind, process, slot, createdAt, context } }) => {
        const { said, right } = context;
        const values = { ...(said === undefined ? {} : { said }), ...(right === undefined ? {} : { right }) };
        return { id: String(key), kind, process, slot, createdAt, against: against(kind), ...values };
      })
      .sort((a, b) => b.createdAt - a.createdAt);
  }

  async #run(started: Verification): Promise<void> {
    const { id, request } = started;
    const stop = new AbortController();
    this.#running.set(id, stop);
    const pace = new Pace(() => this.#context.clock.now());
    try {
      const report = await verify(
        request.url,
        {
          level: request.level,
          peers: request.peers ?? [],
          ...(request.k === undefined ? {} : { k: request.k }),
          ...trusted(request),
          ...(request.from === undefined ? {} : { from: request.from }),
          ...(request.checkpoints ? { checkpoints: request.checkpoints } : {}),
          ...(request.sample ? { sample: request.sample } : {}),
          signal: stop.signal,
          onProgress: (progress) => {
            const now = this.#known.get(id);
            if (!now || stop.signal.aborted || !pace.note(progress)) return;
            this.#known.set(id, { ...now, progress: { ...progress, ...pace.outlook(progress) } });
            this.#tell(id);
          },
        },
        this.#context,
      );
      // What was broken off says nothing.
      if (stop.signal.aborted) return;
      const signed = await signMessage(reportMessage(report), this.#context);
      await this.#context.cache.write(signed);
      const reportId = messageId(signed, 'signed');
      if (stop.signal.aborted) return;
      await this.#keep({ ...started, state: 'done', endedAt: this.#context.clock.now(), report, reportId });
      const head = await readHead(this.#context.store, report.process);
      // That a node lied about it says nothing against what was computed here.
      if (head && !head.own && report.level !== 'contradicted')
        await Schedules.of(this.#context).annotate(report.process, { level: report.level }, this.#context);
    } catch (thrown) {
      if (stop.signal.aborted) return;
      const { code, message } = AoError.wrap(thrown);
      await this.#keep({
        ...started,
        state: 'failed',
        endedAt: this.#context.clock.now(),
        error: { code, message },
      }).catch(() => {});
    } finally {
      if (this.#running.get(id) === stop) this.#running.delete(id);
    }
  }

  async #find(id: string): Promise<Verification> {
    await this.#ready;
    const found = this.#known.get(id);
    if (!found)
      throw new AoError('no-verification', 'There is no such verification.', { status: 404, detail: { id } });
    return found;
  }

  async #keep(verification: Verification): Promise<void> {
    this.#known.set(verification.id, verification);
    const { progress: _, ...kept } = verification;
    await this.#context.store.write([{ table: 'evidence', key: PREFIX + verification.id, value: kept }], {
      durable: true,
    });
    this.#tell(verification.id);
  }

  #tell(id: string): void {
    this.#context.report({ type: 'verification', id });
  }
}

/** Slots a second, and which of many notes are worth passing on. */
class Pace {
  readonly #now: () => number;
  #phase = '';
  #told = -Infinity;
  #samples: { at: number; done: number }[] = [];

  constructor(now: () => number) {
    this.#now = now;
  }

  /** True when pages should be told. */
  note({ phase, done, total }: Progress): boolean {
    const at = this.#now();
    const fresh = phase !== this.#phase;
    if (fresh) {
      this.#phase = phase;
      this.#samples = [];
    }
    this.#samples.push({ at, done });
    while (this.#samples.length > 2 && at - this.#samples[0]!.at > RATE_WINDOW) this.#samples.shift();
    if (!fresh && done < total && at - this.#told < TELL) return false;
    this.#told = at;
    return true;
  }

  /** Steps a second, and milliseconds that the rest takes at that rate. */
  outlook({ done, total }: Progress): { rate: number; left?: number } {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (!first || !last || last.at <= first.at) return { rate: 0 };
    const rate = ((last.done - first.done) * 1000) / (last.at - first.at);
    return rate > 0 ? { rate, left: Math.round(((total - done) * 1000) / rate) } : { rate };
  }
}

/**
 * What the user trusts. A list of programs asks for the attestation; so does the level, which then says that the list
 * is empty.
 */
function trusted({ trust, certificates, level }: VerifyRequest): Pick<VerifyOptions, 'attest' | 'trust'> {
  const list: TrustList = Array.isArray(trust) ? { programs: trust } : (trust ?? {});
  const programs = (list.programs ?? []) as TrustEntry[];
  if (!programs.length && level !== 'attested') return { trust: list };
  return { trust: list, attest: { trust: programs, ...(certificates ? { certificates } : {}) } };
}

function originOf(url: string): string {
  try {
    const { origin, protocol } = new URL(url);
    if (protocol === 'https:' || protocol === 'http:') return origin;
  } catch {
    // Said below.
  }
  throw new AoError('bad-url', `${url.slice(0, 100)} is not the address of a node.`, { detail: { url } });
}
