/** Attestation reports, as bytes and in the JSON forms of nodes. */
import { fromBytes, fromHex } from '../../../src/base/bytes.ts';
import { parseReport } from '../../../src/attestation/report.ts';
import { reportBytes } from '../../../src/attestation/report-json.ts';
import { attemptAll } from '../attempt.ts';
import { few, snpVectors } from '../seeds.ts';
import { defineTarget } from '../target.ts';

export default defineTarget({
  words: ['{', '"version":', '"policy":', '-1', '[', '256', '1.5', '18446744073709551616', 'null'],
  seeds: () => {
    const hex = snpVectors().filter((text) => /^[0-9a-f]{2368}$/.test(text));
    return few([...hex.map(fromHex), ...hex.slice(0, 3), '{"version":2,"guest_svn":0,"policy":196608}']);
  },
  run(input) {
    attemptAll(
      () => parseReport(input),
      () => parseReport(reportBytes(fromBytes(input))),
    );
  },
});
