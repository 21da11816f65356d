/** What fields of HTTP can hold (RFC 9110, section 5). A message can hold more. */
import { binaryBytes, type Binary } from '../../message/value.ts';

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Octets of all fields of one reply together; many clients give up long before. */
const MAX_FIELDS = 256 * 1024;

/** True if every name is a token, no value has a control character, and all together are no more than clients take. */
export function isCarriable(headers: ReadonlyMap<string, Binary>): boolean {
  let size = 0;
  for (const [name, value] of headers) {
    const octets = binaryBytes(value);
    size += name.length + octets.length;
    if (size > MAX_FIELDS || !NAME.test(name) || octets.some(isControl)) return false;
  }
  return true;
}

const isControl = (octet: number) => (octet < 0x20 && octet !== 0x09) || octet === 0x7f;
