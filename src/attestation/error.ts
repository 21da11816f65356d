/** The refusals of an attestation: one code a rule, named as attestation.md §1.8 and §1.9 name them. */
import { AoError } from '../base/errors.ts';

export const SNP_CODES = [
  'SNP_LENGTH',
  'SNP_VERSION',
  'SNP_MBZ',
  'SNP_SIG_ALGO',
  'SNP_SIGNER',
  'SNP_DER',
  'SNP_NAME',
  'SNP_CERT_ALG',
  'SNP_KEY_TYPE',
  'SNP_PIN',
  'SNP_TIME',
  'SNP_CA',
  'SNP_CHAIN_SIG',
  'SNP_EXT',
  'SNP_PRODUCT',
  'SNP_HWID',
  'SNP_TCB_CERT',
  'SNP_REPORT_SIG',
  'SNP_DEBUG',
  'SNP_MIGRATION',
  'SNP_VMPL',
  'SNP_TCB_ORDER',
  'SNP_TCB_MIN',
  'SNP_PLATFORM',
  'SNP_HOST_DATA',
  'SNP_ID_KEY',
  'SNP_MEASUREMENT',
  'SNP_REPORT_DATA',
  'SNP_NO_LEAF',
  'SNP_REVOKED',
  'SNP_CRL_STALE',
  'SNP_JSON',
  'SNP_OVMF',
] as const;

export type SnpCode = (typeof SNP_CODES)[number];

/** Refuses: an `AoError` whose code is the rule that was broken. */
export function refuse(code: SnpCode, sentence: string, detail: Record<string, unknown> = {}): never {
  throw new AoError(code, sentence, { status: 422, detail });
}

export function isSnpCode(code: string): code is SnpCode {
  return (SNP_CODES as readonly string[]).includes(code);
}
