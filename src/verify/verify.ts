/**
 * Verifies what a remote node says (attestation.md §4): every level that is asked for, each fact on its own. Fails
 * closed: an unknown, a time-out or a missing piece lowers the level and names the reason; nothing is trusted
 * silently, and nothing that a peer does throws out of here.
 */
import { AoError } from '../base/errors.ts';
import { messageId } from '../commitment/id.ts';
import { readAssignments } from '../device/schedule-records.ts';
import { Schedules } from '../device/schedules.ts';
import { newestSlot } from '../device/slot-records.ts';
import { integerOf, textOf } from '../device/values.ts';
import type { Message } from '../message/message.ts';
import type { Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import { agreement } from './agreed.ts';
import { attest, type AttestOptions } from './attested.ts';
import { difference, show } from './compare.ts';
import { evidence, keepEvidence, statement } from './evidence.ts';
import { parseTarget, Peer, type Answer, type Target } from './peer.ts';
import { compareStates, computeTo, ensureModules } from './replay.ts';
import { Findings, LEVELS, type Level, type Report } from './report.ts';
import { auditedSchedule, type AuditedSchedule } from './schedule-source.ts';
import { signedBy } from './signed.ts';

export interface Progress {
  readonly phase: 'asking' | 'auditing' | 'computing' | 'comparing';
  readonly done: number;
  readonly total: number;
}

export interface VerifyOptions {
  /** Default `replayed`. */
  readonly level?: Level;
  /** Other nodes, asked the same question for `agreed` and for modules. */
  readonly peers?: readonly string[];
  /** How many must agree, of all that are asked; default: more than half. */
  readonly k?: number;
  readonly attest?: AttestOptions;
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
}

/** Never throws for what a peer does; @throws AoError `bad-url` (400) */
export async function verify(url: string, options: VerifyOptions, context: Context): Promise<Report> {
  const target = parseTarget(url);
  const run = new Verification(target, options, context);
  return run.run(url);
}

class Verification {
  readonly #target: Target;
  readonly #options: VerifyOptions;
  readonly #context: Context;
  readonly #findings = new Findings();
  readonly #peer: Peer;
  readonly #others: readonly Peer[];
  readonly #asked: Level;
  #slot = -1;
  #answer: Answer | undefined;

  constructor(target: Target, options: VerifyOptions, context: Context) {
    this.#target = target;
    this.#options = options;
    this.#context = context;
    this.#asked = options.level ?? 'replayed';
    this.#peer = new Peer(target.origin, context.http, options.signal);
    this.#others = (options.peers ?? []).map(
      (peer) => new Peer(new URL(peer).origin, context.http, options.signal),
    );
  }

  async run(url: string): Promise<Report> {
    const started = this.#context.clock.now();
    const findings = this.#findings;
    await this.#try('claim', () => this.#claim());
    if (this.#slot >= 0) {
      if (this.#others.length) await this.#try('agreement', () => this.#agree());
      if (this.#wants('attested') && this.#options.attest)
        await this.#try('attestation', () => this.#attest(this.#options.attest!));
      if (this.#wants('audited')) {
        const audited = await this.#try('audit', () => this.#audit());
        if (audited && this.#wants('replayed')) await this.#try('replay', () => this.#replay(audited));
      }
    }
    this.#say();
    const reached = findings.reached();
    return {
      url,
      process: this.#target.process,
      path: this.#target.path,
      asked: this.#asked,
      level: findings.contradicted ? 'contradicted' : (reached.at(-1) ?? 'claimed'),
      reached: this.#answer ? reached : reached.filter((level) => level !== 'claimed'),
      facts: findings.facts,
      freshness: findings.freshness,
      notChecked: findings.notChecked,
      problems: findings.problems,
      at: this.#context.clock.now(),
      cost: {
        milliseconds: this.#context.clock.now() - started,
        bytes: [this.#peer, ...this.#others].reduce((sum, { bytes }) => sum + bytes, 0),
      },
    };
  }

  #wants(level: Level): boolean {
    return LEVELS.indexOf(this.#asked) >= LEVELS.indexOf(level);
  }

  async #try<T>(_step: string, action: () => Promise<T>): Promise<T | undefined> {
    try {
      return await action();
    } catch (thrown) {
      const error = AoError.wrap(thrown);
      if (error.code === 'equivocation')
        this.#findings.contradiction(error.code, error.message, slotOf(error));
      else this.#findings.refused(error);
      return undefined;
    }
  }

  #progress(phase: Progress['phase'], done: number, total: number): void {
    this.#options.onProgress?.({ phase, done, total });
  }

  /** What the node says, at a fixed slot: two answers of `now` could not be compared. */
  async #claim(): Promise<void> {
    this.#progress('asking', 0, 1);
    const { process, path } = this.#target;
    const head = await this.#peer.current(process);
    this.#slot = this.#target.slot ?? head;
    this.#findings.freshness = { head: Math.max(head, this.#slot), slot: this.#slot, age: undefined };
    try {
      this.#answer = await this.#peer.compute(process, this.#slot, path);
    } catch (thrown) {
      const error = AoError.wrap(thrown);
      if (error.code !== 'peer-refused') throw error;
      // A slot can have failed on the network, too: whether it did is what replaying shows.
      this.#findings.refused(error);
      return;
    }
    const signed = await signedBy(this.#answer);
    if (signed.by.length) this.#findings.add({ signed: { by: signed.by, covered: signed.covered } });
    else this.#findings.missing('not-signed', signed.reason ?? 'Nobody signed the answer.');
    this.#progress('asking', 1, 1);
  }

  async #agree(): Promise<void> {
    if (!this.#answer) return;
    const { process, path } = this.#target;
    const result = await agreement(process, this.#slot, path, this.#answer.value, this.#peer, this.#others);
    const n = 1 + this.#others.length;
    const k = this.#options.k ?? Math.floor(n / 2) + 1;
    this.#findings.add({ agreed: { k, n, agree: result.agree, differ: result.differ, stale: result.stale } });
    for (const { peer, said } of result.answers)
      this.#findings.contradiction('peers-differ', `${peer} answers something else for the same slot.`, {
        slot: this.#slot,
        said: show(this.#answer.value),
        right: show(said),
      });
    for (const { peer, reason } of result.silent)
      this.#findings.missing('peer-silent', `${peer} could not be asked: ${reason}`);
  }

  async #attest(options: AttestOptions): Promise<void> {
    const signers = this.#findings.facts.signed?.by ?? [];
    const attested = await attest(this.#peer, signers, options, this.#context);
    this.#findings.add({ attested: attested.fact });
    this.#findings.notChecked.push(...attested.notChecked);
  }

  async #audit(): Promise<AuditedSchedule> {
    const { process } = this.#target;
    const own = await Schedules.of(this.#context).head(process, this.#context);
    if (own?.own)
      throw new AoError(
        'own-schedule',
        'This node schedules the process itself: there is nothing to audit.',
        { status: 409 },
      );
    const total = this.#slot + 1;
    const audited = await auditedSchedule(process, this.#slot, this.#peer, this.#context, {
      onSlot: (slot) => this.#progress('auditing', slot + 1, total),
      signal: this.#options.signal,
    });
    const { state, notes } = audited;
    this.#findings.add({
      audited: { from: 0, to: this.#slot, scheduler: state.schedulers, restarts: state.restarts, notes },
    });
    const [last] = await readAssignments(this.#context.store, process, this.#slot, this.#slot);
    const made = integerOf(last?.assignment.get('timestamp'));
    const freshness = this.#findings.freshness;
    if (freshness && made !== undefined)
      this.#findings.freshness = { ...freshness, age: this.#context.clock.now() - made };
    return audited;
  }

  async #replay({ definition }: AuditedSchedule): Promise<void> {
    const { process, path } = this.#target;
    await ensureModules(definition, [this.#peer, ...this.#others], this.#context);
    const from = await newestSlot(this.#context.store, process);
    const total = this.#slot + 1;
    const ours = await computeTo(definition, from, this.#slot, this.#context, {
      onSlot: (slot) => this.#progress('computing', slot + 1, total),
      signal: this.#options.signal,
    });
    this.#progress('comparing', 0, 1);
    const compared = await compareStates(process, definition, this.#slot, this.#peer, this.#context);
    if (!compared.same) return this.#lied(compared.slot, compared.difference, compared.answer);
    if (ours.state && this.#answer) {
      const right = await this.#context.get(path === '' ? 'results' : path, ours.state);
      const said = path === '' ? this.#answer.message.get('results') : this.#answer.value;
      const found = difference(
        said,
        right === undefined ? undefined : await this.#context.cache.loadAll(right),
      );
      if (found)
        return this.#lied(
          this.#slot,
          { ...found, path: [path, found.path].filter(Boolean).join('/') },
          this.#answer,
        );
    }
    this.#findings.add({
      replayed: {
        from: Math.max(0, from + 1),
        to: this.#slot,
        start: from < 0 ? 'genesis' : 'own',
        compared: ours.failure ? ['failure'] : ['state', 'results', ...(path === '' ? [] : [path])],
      },
    });
    this.#progress('comparing', 1, 1);
  }

  async #lied(
    slot: number,
    found: { path: string; said: string; right: string },
    answer: Answer | undefined,
  ): Promise<void> {
    const { process } = this.#target;
    const kept = answer
      ? await keepEvidence(
          evidence({
            kind: 'wrong-answer',
            createdAt: this.#context.clock.now(),
            process,
            slot,
            path: found.path,
            statements: [statement(answer.target, answer.response, this.#context.clock.now())],
            context: { said: found.said, right: found.right },
          }),
          this.#context.store,
        )
      : undefined;
    const [assigned] = await readAssignments(this.#context.store, process, slot, slot);
    const body = assigned?.assignment.message('body');
    const message = body
      ? ` It is the slot of the message ${messageId(body, 'signed')}${actionOf(body)}.`
      : '';
    this.#findings.contradiction(
      'answer-differs',
      `From slot ${slot} on, the node says something else at ${found.path || 'its state'} than what follows from the schedule.${message}`,
      { slot, said: found.said, right: found.right, ...(kept ? { evidence: kept } : {}) },
    );
  }

  /** What was not looked at, in words. */
  #say(): void {
    const { facts, notChecked } = this.#findings;
    if (!facts.attested)
      notChecked.push('Which program the node runs, and on what hardware, was not checked.');
    if (!facts.agreed) notChecked.push('No other node was asked.');
    if (!facts.audited)
      notChecked.push('The schedule was not audited: messages may be missing, forged or out of order.');
    if (!facts.replayed) notChecked.push('Nothing was computed here: the answer rests on the node’s word.');
    notChecked.push('Messages that the scheduler never assigned can not be seen.');
    if (facts.audited)
      notChecked.push('That the scheduler shows the same schedule to everybody was not checked.');
    for (const slot of facts.audited?.notes.filter(({ code }) => code === 'no-authority') ?? [])
      notChecked.push(`Slot ${slot.slot}: ${slot.text}`);
  }
}

function slotOf(error: AoError): { slot?: number } {
  const slot = error.detail['slot'];
  return typeof slot === 'number' ? { slot } : {};
}

function actionOf(body: Message): string {
  const action = textOf(body.get('action') as Value | undefined);
  return action ? ` (${action.slice(0, 60)})` : '';
}
