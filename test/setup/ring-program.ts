/**
 * A process that passes tokens on: each message names the ring and says how far its token came. What arrived is
 * counted, so that a message which came twice shows.
 */
export const RING = `
function compute(base, request)
  local message = request.body or {}
  if not base.seen then base.seen = {} end
  base.results = { outbox = {} }
  if message.action ~= 'Token' then return base end
  local hop = math.tointeger(tonumber(message.hop))
  local name = message.token .. '-' .. tostring(hop)
  base.seen[name] = (base.seen[name] or 0) + 1
  if hop >= math.tointeger(tonumber(message.hops)) then return base end
  -- IDs of 43 characters, a comma between.
  local at = (hop + 1) % ((string.len(message.ring) + 1) // 44) * 44
  base.results.outbox['1'] = {
    target = string.sub(message.ring, at + 1, at + 43),
    action = 'Token',
    token = message.token,
    ring = message.ring,
    hops = message.hops,
    hop = tostring(hop + 1),
  }
  return base
end
`;

/** The message that begins a token at the first process of a ring: it is passed on `hops` times. */
export function token(name: string, ring: readonly string[], hops: number) {
  return { action: 'Token', tags: { token: name, ring: ring.join(','), hops: String(hops), hop: '0' } };
}
