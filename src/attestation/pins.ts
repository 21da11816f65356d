/**
 * AMD's roots, pinned by the SHA-256 of the certificate and of its public key.
 *
 * Facts read off the certificates that google/go-sev-guest ships (`verify/trust/`); byte for byte the same in
 * virtee/sev and microsoft/TEE-Attestation-Verification. The pin decides, never a root that came over the network.
 */
import type { Product } from './tcb.ts';

export interface Pin {
  /** SHA-256 of the root certificate's DER, lower-case hex. */
  readonly certificate: string;
  /** SHA-256 of its SubjectPublicKeyInfo, where known. */
  readonly spki?: string;
}

export type Pins = Partial<Record<Product, Pin>>;

export const AMD_ROOTS: Pins = {
  Milan: {
    certificate: '69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd',
    spki: '9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9',
  },
  Genoa: {
    certificate: '4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1',
    spki: '429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831',
  },
  Turin: {
    certificate: '1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a',
    spki: '4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08',
  },
};
