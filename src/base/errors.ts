/**
 * The one error family of the project (ARCHITECTURE.md, errors).
 *
 * Every refusal that a caller can meet is an `AoError`: a stable `code` for programs, the HTTP `status`
 * it maps to, a sentence for a person, and the cause. Devices answer with results that carry a status;
 * they throw only for bugs. Pure code throws an `AoError` for bad input.
 */
export class AoError extends Error {
  override readonly name = 'AoError';
  /** Stable, dash-case, never reworded: `bad-signature`, `path-too-long` … */
  readonly code: string;
  /** HTTP status that a path answers with when this error reaches it. */
  readonly status: number;
  /** Machine-readable particulars: the slot, the key, the limit that was passed. Survives structured clone. */
  readonly detail: Readonly<Record<string, unknown>>;

  constructor(
    code: string,
    message: string,
    options: { status?: number; detail?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = options.status ?? 400;
    this.detail = options.detail ?? {};
  }

  /** The error as plain data, for ports that cannot carry class instances. */
  toJSON(): AoErrorData {
    return { code: this.code, status: this.status, message: this.message, detail: { ...this.detail } };
  }

  /** Rebuilds an error from `toJSON()`. */
  static from(data: AoErrorData): AoError {
    return new AoError(data.code, data.message, { status: data.status, detail: data.detail });
  }

  /** Any thrown value as an `AoError`; what is not one already becomes `internal` (500). */
  static wrap(thrown: unknown, code = 'internal', status = 500): AoError {
    if (thrown instanceof AoError) return thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new AoError(code, message, { status, cause: thrown });
  }
}

/** `AoError` as structured-cloneable data. */
export interface AoErrorData {
  code: string;
  status: number;
  message: string;
  detail: Record<string, unknown>;
}
