-- A ledger in a few lines: mint, transfer, and read the balances at /now/balances.
--
--   Action = Mint      Recipient, Quantity   (only the owner of the process)
--   Action = Transfer  Recipient, Quantity
--   Action = Balance   Recipient (default: the sender)
--
-- Amounts are integers of any size: they travel as text and are counted exactly.

local function sender(message)
  for _, commitment in pairs(message.commitments or {}) do
    if commitment.committer then return commitment.committer end
  end
end

local function amount(text)
  if type(text) == 'string' and string.find(text, '^%d+$') then return math.tointeger(tonumber(text)) end
  return math.tointeger(text)
end

local function answer(base, text)
  base.results = { output = { data = text }, outbox = {} }
  return base
end

local actions = {}

function actions.mint(base, message, from)
  if from ~= base.owner then return answer(base, 'Only the owner of this ledger can mint.') end
  local quantity = amount(message.quantity)
  local to = message.recipient or from
  if not quantity then return answer(base, 'Quantity is not a whole number.') end
  base.balances[to] = tostring((amount(base.balances[to]) or 0) + quantity)
  return answer(base, 'Minted ' .. tostring(quantity) .. ' for ' .. to)
end

function actions.transfer(base, message, from)
  local quantity = amount(message.quantity)
  local to = message.recipient
  if not quantity or not to then return answer(base, 'A transfer needs a Recipient and a whole Quantity.') end
  local held = amount(base.balances[from]) or 0
  if held < quantity then return answer(base, 'Not enough: ' .. tostring(held)) end
  base.balances[from] = tostring(held - quantity)
  base.balances[to] = tostring((amount(base.balances[to]) or 0) + quantity)
  return answer(base, 'Transferred ' .. tostring(quantity) .. ' to ' .. to)
end

function actions.balance(base, message, from)
  return answer(base, base.balances[message.recipient or from] or '0')
end

function compute(base, request)
  local message = request.body or {}
  local from = sender(message)
  if not base.balances then base.balances = {} end
  if not base.owner then base.owner = from end
  local run = actions[string.lower(message.action or '')]
  if not run then return answer(base, 'Ready. Actions: Mint, Transfer, Balance.') end
  return run(base, message, from)
end
