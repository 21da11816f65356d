export interface ForeignLegacynet {
  /** URLs of its units. */
  readonly gateway: string;
  readonly bundler: string;
  readonly messenger: string;
  readonly scheduler: string;
  readonly compute: string;
  /** b64u address of its scheduler, for the tag `Scheduler`. */
  readonly address: string;
  stop(): Promise<void>;
}
export function fetchForeignLegacynet(): Promise<void>;
export function startForeignLegacynet(options?: { port?: number }): Promise<ForeignLegacynet>;
