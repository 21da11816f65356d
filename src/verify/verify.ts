/**
 * Verifies what a remote node says (attestation.md §4): every level that is asked for, each fact on its own. Fails
 * closed: an unknown, a time-out or a missing piece lowers the level and names the reason; nothing is trusted
 * silently, and nothing that a peer does throws out of here.
 */
import { AoError } from '../base/errors.ts';
import { messageId } from '../commitment/id.ts';
import { readAssignments } from '../device/schedule-records.ts';
import { Schedules } from '../device/schedules.ts';
import { integerOf, textOf } from '../device/values.ts';
import type { Message } from '../message/message.ts';
import type { Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import type { TrustList } from '../protocol/api.ts';
import { agreement } from './agreed.ts';
import { attest, type AttestOptions } from './attested.ts';
import { readCheckpoint, type Checkpoint } from './checkpoint.ts';
import {
  answerText,
  comparable,
  show,
  stateDifference,
  valueDifference,
  type Difference,
} from './compare.ts';
import { statement } from './evidence.ts';
import {
  changedAnswer,
  headTakenBack,
  keepBadAttestation,
  keepBrokenSchedule,
  keepDifferentAnswers,
  keepWrongAnswer,
} from './gather-evidence.ts';
import { parseTarget, Peer, plainPath, type Answer, type Target } from './peer.ts';
import { compareStates, computeTo, ensureModules, inFull, loadedState } from './replay.ts';
import { Findings, LEVELS, type Level, type Report } from './report.ts';
import { sample } from './sample.ts';
import { auditedSchedule, type AuditedSchedule } from './schedule-source.ts';
import { signedBy } from './signed.ts';
import { startOf, usableCheckpoints, type Start } from './start.ts';

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
  /** Keys and checkpoints that the user trusts. */
  readonly trust?: TrustList;
  /** Checkpoint files; used only where `trust` says so. */
  readonly checkpoints?: readonly Uint8Array[];
  /** `own`, `genesis`, or the name or ID of a checkpoint; without it what is furthest. */
  readonly from?: string;
  /** Stretches between checkpoints that are computed, chosen at random. */
  readonly sample?: { readonly stretches: number };
  /** Bytes that are taken from each node at most (default 2 GiB): a peer may not fill the disk. */
  readonly maxBytes?: number;
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
  /** The node's refusal to answer, until replaying shows that it is right. */
  #refusal: AoError | undefined;
  /** ID of what was kept of the refusal that is on its way. */
  #evidence: string | undefined;

  constructor(target: Target, options: VerifyOptions, context: Context) {
    this.#target = target;
    this.#options = options;
    this.#context = context;
    this.#asked = options.level ?? 'replayed';
    const { signal, maxBytes } = options;
    this.#peer = new Peer(target.origin, context.http, { signal, maxBytes });
    this.#others = (options.peers ?? []).map(
      (peer) => new Peer(new URL(peer).origin, context.http, { signal, maxBytes }),
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
    if (this.#refusal) findings.refused(this.#refusal);
    this.#say();
    const reached = findings.reached();
    const said = this.#answer && answerText(this.#answer.value);
    return {
      url,
      process: this.#target.process,
      path: this.#target.path,
      ...(said ? { answer: said } : {}),
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
      const kept = this.#evidence === undefined ? {} : { evidence: this.#evidence };
      this.#evidence = undefined;
      if (error.code === 'equivocation')
        this.#findings.contradiction(error.code, error.message, { ...slotOf(error), ...kept });
      else this.#findings.refused(error, kept);
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
    const kept = await Schedules.of(this.#context).head(process, this.#context);
    const known = kept && !kept.own ? kept.slot : -1;
    this.#findings.freshness = { head: Math.max(head, this.#slot, known), slot: this.#slot, age: undefined };
    if (head < known && this.#target.slot === undefined) {
      const text = `The node speaks of ${head} as its newest slot, but slot ${known} is known to exist.`;
      const evidence = await headTakenBack(this.#peer, process, this.#context);
      // Another node may be behind; one that showed the slot itself took it back.
      if (kept?.source === this.#peer.origin || evidence !== undefined)
        this.#findings.contradiction('head-regress', text, {
          slot: known,
          ...(evidence === undefined ? {} : { evidence }),
        });
      else this.#findings.missing('stale', text, { slot: known });
    } else if (this.#wants('signed')) await headTakenBack(this.#peer, process, this.#context);
    try {
      this.#answer = await this.#peer.compute(process, this.#slot, path);
    } catch (thrown) {
      const error = AoError.wrap(thrown);
      if (error.code !== 'peer-refused') throw error;
      // A slot can have failed on the network, too: whether it did is what replaying shows.
      this.#refusal = error;
      return;
    }
    const signed = await signedBy(this.#answer);
    if (signed.by.length) this.#findings.add({ signed: { by: signed.by, covered: signed.covered } });
    else this.#findings.missing('not-signed', signed.reason ?? 'Nobody signed the answer.');
    const keys = this.#options.trust?.keys ?? [];
    if (keys.length && !signed.by.some((address) => keys.includes(address)))
      this.#findings.missing('key-not-trusted', 'None of the keys that you trust has signed the answer.');
    const changed = await changedAnswer(this.#peer, process, this.#slot, path, this.#answer, this.#context);
    if (changed)
      this.#findings.contradiction(
        'double-answer',
        'The node signed another answer to the same question before.',
        {
          slot: this.#slot,
          ...(changed.evidence === undefined ? {} : { evidence: changed.evidence }),
        },
      );
    this.#progress('asking', 1, 1);
  }

  async #agree(): Promise<void> {
    if (!this.#answer) return;
    const { process, path } = this.#target;
    const result = await agreement(process, this.#slot, path, this.#answer, this.#peer, this.#others);
    const n = 1 + this.#others.length;
    // A node that agrees with itself alone shows nothing.
    const k = Math.max(2, this.#options.k ?? Math.floor(n / 2) + 1);
    this.#findings.add({ agreed: { k, n, agree: result.agree, differ: result.differ, stale: result.stale } });
    if (result.agree.length < k)
      this.#findings.missing('not-agreed', `${result.agree.length} of ${n} agree; ${k} were asked for.`);
    const freshness = this.#findings.freshness!;
    if (result.head > freshness.head) {
      this.#findings.freshness = { ...freshness, head: result.head };
      if (this.#target.slot === undefined)
        this.#findings.missing(
          'stale',
          `Another node speaks of slot ${result.head}; this one of ${freshness.head} at most.`,
          { slot: result.head },
        );
    }
    const at = this.#context.clock.now();
    const shown = ({ target, response }: Answer) => statement(target, response, at);
    for (const { peer, answer } of result.answers) {
      const both = [shown(this.#answer), shown(answer)] as const;
      const evidence = await keepDifferentAnswers(process, this.#slot, path, both, this.#context);
      this.#findings.contradiction('peers-differ', `${peer} answers something else for the same slot.`, {
        slot: this.#slot,
        said: show(this.#answer.value),
        right: show(answer.value),
        ...(evidence === undefined ? {} : { evidence }),
      });
    }
    for (const { peer, reason } of result.silent)
      this.#findings.missing('peer-silent', `${peer} could not be asked: ${reason}`);
  }

  async #attest(options: AttestOptions): Promise<void> {
    const signers = this.#findings.facts.signed?.by ?? [];
    const roots = this.#options.trust?.roots ?? [];
    const how = { roots, relays: this.#others, ...options };
    const attested = await attest(this.#peer, signers, how, this.#context, async (answer, der, error) => {
      this.#evidence = await keepBadAttestation(
        this.#target.process,
        this.#slot,
        answer,
        der,
        error,
        this.#context,
      );
    });
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
      onBroken: async (page, error) => {
        this.#evidence = await keepBrokenSchedule(process, page, error, this.#context);
      },
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
    const { trust = {}, from, sample } = this.#options;
    await ensureModules(definition, [this.#peer, ...this.#others], this.#context);
    const usable = await usableCheckpoints(
      process,
      this.#slot,
      await this.#checkpoints(),
      trust,
      this.#findings,
      this.#context,
    );
    const start = await startOf(process, from, usable, trust, this.#context);
    const onSlot = (slot: number, total: number) => this.#progress('computing', slot, total);
    try {
      const { computed } = start;
      const ours = await computeTo(definition, computed, this.#slot, start.context, {
        onSlot: (slot) => onSlot(slot + 1, this.#slot + 1),
        signal: this.#options.signal,
      });
      this.#progress('comparing', 0, 1);
      const after = start.checkpoint?.slot ?? -1;
      const compared = await compareStates(process, definition, this.#slot, this.#peer, start.context, after);
      if (!compared.same) return await this.#lied(compared.slot, compared.difference, compared.answer, start);
      if (compared.lost !== undefined) this.#lost(compared.lost);
      if (ours.state) {
        const differs = await this.#compareAnswer(ours.state, definition, start);
        if (differs) return await differs();
      }
      this.#refusal = undefined;
      this.#findings.add({
        replayed: {
          // After `to` where nothing was new.
          from: Math.min(computed, this.#slot) + 1,
          to: this.#slot,
          start: start.label,
          compared: ours.failure ? ['failure'] : ['state', 'results', ...(path === '' ? [] : [path])],
          ...(start.checkpoint ? { checkpoint: start.checkpoint } : {}),
        },
      });
      this.#progress('comparing', 1, 1);
    } finally {
      await start.end();
    }
    if (sample) await this.#sample(definition, usable, sample.stretches, trust, onSlot);
  }

  async #checkpoints(): Promise<Checkpoint[]> {
    const out: Checkpoint[] = [];
    for (const file of this.#options.checkpoints ?? [])
      await this.#try('checkpoint', async () => out.push(await readCheckpoint(file)));
    return out;
  }

  /** Of the stretches between checkpoints, some: how far their signers can be taken at their word. */
  async #sample(
    definition: Message,
    usable: readonly Checkpoint[],
    count: number,
    trust: TrustList,
    onSlot: (done: number, total: number) => void,
  ): Promise<void> {
    if (usable.length === 0)
      return this.#findings.missing('no-stretches', 'There is no checkpoint up to which one could sample.');
    const { signal } = this.#options;
    const { fact, wrong } = await sample(definition, usable, count, trust, this.#context, { onSlot, signal });
    this.#findings.add({ sampled: fact });
    if (wrong)
      this.#findings.contradiction(
        'checkpoint-differs',
        `The checkpoint ${wrong.at.id}, signed by ${wrong.at.signers.join(', ')}, does not follow from the one before it.`,
        { slot: wrong.at.slot, said: wrong.difference.said, right: wrong.difference.right },
      );
  }

  #lost(path: string): void {
    this.#findings.notChecked.push(
      `The fields of HTTP could not carry ${path || 'all of the answer'}; what the node says in JSON was compared.`,
    );
  }

  /** The answer itself beside our state. Answers what is to be said where they differ. */
  async #compareAnswer(
    state: Message,
    definition: Message,
    start: Start,
  ): Promise<(() => Promise<void>) | undefined> {
    const { process, path } = this.#target;
    const { context } = start;
    const found = await context.get(path === '' ? 'results' : plainPath(path), state);
    const right = found === undefined ? undefined : await context.cache.loadAll(found);
    if (!this.#answer) {
      // That there is nothing is an answer, too, where there is nothing.
      if (right === undefined && path !== '' && this.#refusal?.detail['status'] === 404) return undefined;
      throw new AoError(
        'answer-withheld',
        `Slot ${this.#slot}: the node does not answer ${path || 'the slot'}, though there is an answer.`,
        { status: 502, detail: { slot: this.#slot } },
      );
    }
    const answer = this.#answer;
    const whole = await loadedState(state, context);
    const compare = (said: Answer) =>
      path === ''
        ? stateDifference(comparable(said.message, definition), comparable(whole, definition))
        : valueDifference(said.value, right);
    const differs = compare(answer);
    if (!differs) return undefined;
    const where = [path, differs.path].filter(Boolean).join('/');
    const again = await inFull(answer, () => this.#peer.computeJson(process, this.#slot, path));
    if (again && !compare(again)) {
      this.#lost(where);
      this.#answer = again;
      return undefined;
    }
    return () => this.#lied(this.#slot, { ...differs, path: where }, answer, start);
  }

  async #lied(slot: number, found: Difference, answer: Answer, start: Start): Promise<void> {
    const { process } = this.#target;
    const kept = await keepWrongAnswer(process, slot, answer, found, this.#context);
    const [assigned] = await readAssignments(this.#context.store, process, slot, slot);
    const body = assigned?.assignment.message('body');
    const message = body
      ? ` It is the slot of the message ${messageId(body, 'signed')}${actionOf(body)}.`
      : '';
    const basis = start.checkpoint ? `the checkpoint of slot ${start.checkpoint.slot}` : 'the schedule';
    this.#findings.contradiction(
      'answer-differs',
      `From slot ${slot} on, the node says something else at ${found.path || 'its state'} than what follows from ${basis}.${message}`,
      { slot, said: found.said, right: found.right, ...(kept ? { evidence: kept } : {}) },
    );
  }

  /** What was not looked at, in words. */
  #say(): void {
    const { facts, notChecked, problems } = this.#findings;
    if (!facts.attested)
      notChecked.push('Which program the node runs, and on what hardware, was not checked.');
    if (!facts.agreed) notChecked.push('No other node was asked.');
    if (!facts.audited)
      notChecked.push('The schedule was not audited: messages may be missing, forged or out of order.');
    const computed = facts.replayed ?? problems.find(({ code }) => code === 'answer-differs');
    if (!computed) notChecked.push('Nothing was computed here: the answer rests on the node’s word.');
    if (facts.signed && !facts.replayed)
      notChecked.push(
        'A signature says neither what was asked nor when: an old answer, or one to another question, can be served again.',
      );
    const { checkpoint, start } = facts.replayed ?? {};
    if (checkpoint)
      notChecked.push(
        `Slots 0 to ${checkpoint.slot} were not computed here: they rest on the word of ${start}, who signed the checkpoint ${checkpoint.id}.`,
      );
    if (facts.sampled) {
      const { slots, of, stretches, computed, missed } = facts.sampled;
      const percent = `${Number((100 * (missed[0]?.probability ?? 0)).toPrecision(3))} %`;
      notChecked.push(
        `Of slots 0 to ${of - 1}, ${slots} were computed, in ${computed.length} of ${stretches} stretches chosen at random: a lie in one stretch goes unseen with a probability of ${percent}.`,
      );
    }
    notChecked.push('Messages that the scheduler never assigned cannot be seen.');
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
