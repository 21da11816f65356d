/**
 * A module of a few octets that answers every message with `fine`; one that holds a `#` makes it loop for ever.
 *
 *   (block $end (loop $next
 *     (br_if $end (i32.eqz (i32.load8_u (local.get $message))))
 *     (br_if $next (i32.eq (i32.load8_u (local.get $message)) (i32.const 35)))
 *     (local.set $message (i64.add (local.get $message) (i64.const 1)))
 *     (br $next)))
 */
import { fromBase64 } from '../../src/base/bytes.ts';

export const ANSWERING_MODULE = fromBase64(
  'AGFzbQEAAAABEANgAX4BfmABfgBgAn5+AX4DBAMAAQIFAwEEAgcjBAZtZW1vcnkCAAZtYWxsb2MAAARmcmVlAAEGaGFuZGxlAAIKSgMfAQF+' +
    'QggpAwBC8KIEfCEBQghCCCkDACAAfDcDACABCwIACyUAAkADQCAALQAARQ0BIAAtAABBI0YNACAAQgF8IQAMAAsLQhALC0YBAEIQC0B7Im9r' +
    'Ijp0cnVlLCJyZXNwb25zZSI6eyJPdXRwdXQiOnsiZGF0YSI6ImZpbmUifSwiTWVzc2FnZXMiOltdfX0A',
);
