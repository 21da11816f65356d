/** What a verification asks for, how far it is, and what it found (docs/verification.md). */

/** How far a value has been proven (attestation.md §4). */
export type Level = 'claimed' | 'signed' | 'attested' | 'agreed' | 'audited' | 'replayed' | 'contradicted';

/** A level that a report may say was reached. */
export type ReachedLevel = Exclude<Level, 'contradicted'>;

/** What the user trusts, and nobody else (docs/verification.md). */
export interface TrustList {
  /** Programs that are trusted to run in a TEE; needed for `attested`. */
  programs?: unknown[];
  /** Addresses of which one has to have signed the answer; empty: any. */
  keys?: string[];
  /** Addresses whose checkpoints may be started from. */
  checkpointSigners?: string[];
  /** Single checkpoints that may be started from, whoever signed them: a name of the user's and the checkpoint's ID. */
  checkpoints?: { name: string; id: string }[];
  /** Roots that an attestation may end in beside AMD's own, as a laboratory with a root of its own needs them. */
  roots?: TrustedRoot[];
}

/** The root certificate of an attestation that is not AMD's. */
export interface TrustedRoot {
  /** What the report calls it. */
  name: string;
  product: 'Milan' | 'Genoa' | 'Turin';
  /** SHA-256 of the certificate's DER, hex. */
  certificate: string;
}

/** What to verify (attestation.md §4). */
export interface VerifyRequest {
  /** `https://host/PID~process@1.0/now/key/…` or `…/compute&slot=N/…`. */
  url: string;
  level: ReachedLevel;
  /** Origins of other nodes, asked the same. */
  peers?: string[];
  /** How many must agree, of all that are asked. */
  k?: number;
  /** A list alone is one of programs. */
  trust?: unknown[] | TrustList;
  /** PEM certificates for the attestation, leaf first, where the node shows none. */
  certificates?: string;
  /**
   * Where computing starts: `own` (default) goes on from what this node computed before, `genesis` computes everything
   * anew, anything else is the name or ID of one of `checkpoints`.
   */
  from?: string;
  /** Checkpoint files, as `exportCheckpoint` makes them: to start from, and as borders of stretches for `sample`. */
  checkpoints?: Uint8Array[];
  /** Computes so many stretches between checkpoints, chosen at random, instead of every slot. */
  sample?: { stretches: number };
}

export interface VerificationProgress {
  phase: 'asking' | 'auditing' | 'computing' | 'comparing';
  done: number;
  total: number;
  /** Steps a second, lately. */
  rate: number;
  /** Milliseconds that this phase still takes at that rate; absent while that is unknown. */
  left?: number;
}

export interface VerificationProblem {
  /** Stable word: `answer-differs`, `audit-chain`, `peer-timeout`, `SNP_DEBUG` … */
  readonly code: string;
  /** A sentence for a person. */
  readonly text: string;
  /** True: it cannot be honest. False: something could not be shown. */
  readonly contradiction: boolean;
  readonly slot?: number;
  /** Text of what the node said and of what is right, where that can be shown in a line. */
  readonly said?: string;
  readonly right?: string;
  /** ID of evidence, for `evidence()`. */
  readonly evidence?: string;
}

/** What was proven, for which slots, by whose keys, and what nobody looked at (attestation.md §4.11). */
export interface VerificationReport {
  readonly url: string;
  readonly process: string;
  /** Path inside the state: `balances/alice`. */
  readonly path: string;
  /**
   * What the node answered there, which is as good as `level` says; of a message its JSON. Absent where there was no
   * answer, or one that is no text or longer than 64 Ki characters.
   */
  readonly answer?: { readonly text: string; readonly form: 'text' | 'json' };
  readonly asked: ReachedLevel;
  /** Highest level whose facts hold; `contradicted` beats all. */
  readonly level: Level;
  readonly reached: readonly ReachedLevel[];
  readonly facts: {
    /** Addresses whose signatures cover the answer. */
    readonly signed?: { readonly by: readonly string[]; readonly covered: readonly string[] };
    readonly attested?: {
      readonly address: string;
      readonly product: string;
      readonly measurement: string;
      readonly program: string;
      /** `full`: key and configuration are bound; `key`: the key alone. */
      readonly bound: 'full' | 'key';
      /** `AMD`, or the name of a root that the user added; reports of older versions lack it. */
      readonly root?: string;
    };
    readonly agreed?: {
      readonly k: number;
      readonly n: number;
      readonly agree: readonly string[];
      readonly differ: readonly string[];
      readonly stale: readonly string[];
    };
    readonly audited?: {
      readonly from: number;
      readonly to: number;
      readonly scheduler: readonly string[];
      readonly restarts: readonly number[];
      readonly notes: readonly { readonly slot: number; readonly code: string; readonly text: string }[];
    };
    readonly replayed?: {
      /** First slot that was computed now; after `to` where all of them were computed before. */
      readonly from: number;
      readonly to: number;
      /** `genesis`, `own` (an earlier computation of this node), or who signed the checkpoint. */
      readonly start: string;
      /** What was compared with the node's state. */
      readonly compared: readonly string[];
      /** The checkpoint that it started from. Slots up to its own rest on who signed it. */
      readonly checkpoint?: { readonly id: string; readonly slot: number; readonly name?: string };
    };
    /** Instead of `replayed`, where stretches chosen at random were computed. */
    readonly sampled?: {
      /** Stretches that there are, and those that were computed. `start`: who says the state before the first slot. */
      readonly stretches: number;
      readonly computed: readonly { readonly from: number; readonly to: number; readonly start: string }[];
      /** Slots that were computed, of how many. */
      readonly slots: number;
      readonly of: number;
      /** How likely it is that a lie in so many of the stretches was missed, 0 to 1. */
      readonly missed: readonly { readonly stretches: number; readonly probability: number }[];
      readonly compared: readonly string[];
    };
  };
  readonly freshness:
    | {
        /** Newest slot that anybody showed to exist. */
        readonly head: number;
        /** Slot that the answer is about. */
        readonly slot: number;
        /** Milliseconds since the newest assignment was made, by this computer's clock. */
        readonly age: number | undefined;
      }
    | undefined;
  /** What nobody looked at, in sentences. */
  readonly notChecked: readonly string[];
  readonly problems: readonly VerificationProblem[];
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly cost: { readonly milliseconds: number; readonly bytes: number };
}

export interface Verification {
  id: string;
  request: VerifyRequest;
  state: 'running' | 'paused' | 'done' | 'failed';
  /** Milliseconds since 1970. */
  startedAt: number;
  endedAt?: number;
  progress?: VerificationProgress;
  report?: VerificationReport;
  /** ID of the report as a message that this node has signed: it answers at that path. */
  reportId?: string;
  /** Why it could not be made at all. */
  error?: { code: string; message: string };
}

/** Something to verify that ships with the app and needs no network. */
export interface VerifiableSample {
  title: string;
  about: string;
  url: string;
}

export interface EvidenceInfo {
  id: string;
  kind: string;
  process: string;
  slot: number;
  createdAt: number;
  said?: string;
  right?: string;
  /** Whom it holds to it: `signer`, or `nobody` where what was said is unsigned and shows only that somebody said it. */
  against?: 'signer' | 'nobody';
}

export interface EvidenceVerdict {
  /** The file proves what it says. */
  proves: boolean;
  kind: string;
  /** What was found, in sentences. */
  findings: string[];
  /** Whom it holds to it: `nobody` where what was said is unsigned. */
  against?: 'signer' | 'nobody';
}
