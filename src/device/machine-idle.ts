/**
 * Machines that no process owns: a message was computed with one, and may be again by the next step of a path.
 * They end when nobody has used them for a while.
 */
const IDLE = 30_000;

export class IdleEnd {
  readonly #end: () => Promise<void>;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(end: () => Promise<void>) {
    this.#end = end;
    this.touch();
  }

  /** It was used: the time begins anew. */
  touch(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#end().catch(() => undefined), IDLE);
    (this.#timer as { unref?: () => void }).unref?.();
  }

  /** Somebody else sees to its end. */
  cancel(): void {
    clearTimeout(this.#timer);
  }
}
