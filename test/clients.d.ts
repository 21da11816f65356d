/** What the tests use of clients that come without types. */
declare module '@permaweb/ao-core-libs' {
  type Signer = (...parameters: never[]) => Promise<unknown>;
  export function createSigner(jwk: unknown): Signer;
  const AOCore: {
    init(options: { url: string; signer: Signer }): {
      request(parameters: Record<string, unknown>): Promise<Response>;
    };
  };
  export default AOCore;
}

declare module 'hbsig' {
  interface Signed {
    url: string;
    method: string;
    headers: Record<string, string>;
    body?: unknown;
  }
  export function createSigner(
    jwk: unknown,
    url: string,
  ): (fields: Record<string, unknown>, options?: { path?: boolean }) => Promise<Signed>;
  export function send(message: Signed): Promise<{ out?: unknown; status: number; body: string }>;
}
