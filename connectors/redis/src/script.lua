-- The rate budget that replicas share: one call, one decision. The twin of machine.rs; microseconds of Redis' clock.
--
-- KEYS: slots (lease -> free at), state, replicas (replica -> seen at), tenants, waiting (tenant -> until).
-- ARGV: op, run, replica, sequence, gate, slots_max, replicas_max, count, (lease, free in) * count,
--       and for `take`: lease, tenant, weight, more, interval, tolerance, lease's length.
-- Answer: code, wait, replicas, gate.

local WINDOW = 1000000
local ASK_AGAIN, GRACE, YIELD = 100000, 50000, 5000
local TURN, LAG = 1000000, 8000000
-- Longest wait that a 429 can ask for; what lies beyond was written by another clock.
local GATE_MAX = 300000000
-- A replica that is silent for this long counts as cut off, and its safe part is kept back for it;
local SILENT = 1000000
-- after this long it is forgotten.
local FORGOTTEN = 5000000
-- All were silent for this long: Redis was away, and each may be taking its safe part.
local GAP = 1500000
-- Then nobody gets anything until all had time to come back and to say which slots they hold.
local REBIRTH = 2000000
local KEPT_MS = 86400000

local GRANTED, DONE, SLOTS, GATE, BUCKET, TURNS, STALE = 1, 0, -1, -2, -3, -4, -5

local slots, state, replicas, tenants, waiting = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local op, run, replica = ARGV[1], ARGV[2], ARGV[3]
local sequence, gate_for = tonumber(ARGV[4]), tonumber(ARGV[5])
local slots_max, replicas_max, count = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])

local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])

-- Lua would write 1.7e+15.
local function text(number)
    return string.format('%.0f', number)
end

for at, kind in ipairs({'zset', 'hash', 'zset', 'hash', 'zset'}) do
    local found = redis.call('TYPE', KEYS[at])['ok']
    if found ~= 'none' and found ~= kind then
        redis.call('DEL', unpack(KEYS))
        break
    end
end

local newest = tonumber(redis.call('HGET', state, 'sequence:' .. replica))
if newest and sequence <= newest then
    -- Sent before something that has arrived already, and perhaps given up by its sender.
    return {STALE, 1000, 0, 0}
end

local known = redis.call('HMGET', state, 'run', 'last', 'gate', 'turn', 'counted', 'slots', 'replicas')
local last, gate, turn = tonumber(known[2]), tonumber(known[3]), tonumber(known[4])
-- Somebody else wrote here, or took slots or replicas away, since they were counted (`counted`: by this version, at `last`).
local damaged = not gate or not turn or (known[5] == known[2]
    and (known[6] ~= text(redis.call('ZCARD', slots)) or known[7] ~= text(redis.call('ZCARD', replicas))))
gate, turn = gate or 0, turn or 0
if last and last > now and last - now < 1000000 then
    now = last
end
if last and last > now then
    -- The clock went back: its stamps mean nothing.
    redis.call('DEL', slots, tenants, waiting)
    gate, turn = 0, 0
end
local crowd = redis.call('ZCARD', replicas)
if not last or damaged or known[1] ~= run or last > now or (crowd > 0 and now - last > GAP) then
    -- Fresh, damaged, restored, failed over or out of reach for a while: slots may be in use that are not written here.
    gate = math.max(gate, now + REBIRTH)
    for _, other in ipairs(redis.call('ZRANGE', replicas, 0, -1)) do
        redis.call('ZADD', replicas, text(now), other)
    end
end
gate = math.max(math.min(gate, now + GATE_MAX), now + gate_for)

for at = 0, count - 1 do
    local lease, free_at = ARGV[9 + 2 * at], now + tonumber(ARGV[10 + 2 * at])
    local written = tonumber(redis.call('ZSCORE', slots, lease))
    if not written or written > free_at then
        redis.call('ZADD', slots, text(free_at), lease)
    end
end
redis.call('ZREMRANGEBYSCORE', slots, '-inf', text(now))

for _, other in ipairs(redis.call('ZRANGEBYSCORE', replicas, '-inf', text(now - FORGOTTEN))) do
    redis.call('ZREM', replicas, other)
    redis.call('HDEL', state, 'sequence:' .. other)
end
if op == 'leave' then
    redis.call('ZREM', replicas, replica)
    redis.call('HDEL', state, 'sequence:' .. replica)
else
    redis.call('ZADD', replicas, text(now), replica)
    redis.call('HSET', state, 'sequence:' .. replica, text(sequence))
end
crowd = redis.call('ZCARD', replicas)

-- The same sum as in share.rs.
local reserve = 0
if replicas_max <= slots_max then
    reserve = math.max(replicas_max - crowd, 0)
end
local part = math.floor((slots_max - reserve) / math.max(crowd, 1))
local open = slots_max - redis.call('ZCOUNT', replicas, '-inf', text(now - SILENT)) * part

local function answer(code, wait)
    redis.call('HSET', state, 'run', run, 'last', text(now), 'gate', text(gate), 'turn', text(turn), 'counted', text(now),
        'slots', text(redis.call('ZCARD', slots)), 'replicas', text(redis.call('ZCARD', replicas)))
    for _, key in ipairs(KEYS) do
        redis.call('PEXPIRE', key, KEPT_MS)
    end
    return {code, wait, crowd, math.max(gate - now, 0)}
end

if op ~= 'take' then
    return answer(DONE, 0)
end

local at = 9 + 2 * count
local lease, tenant, weight, more = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2]), ARGV[at + 3] == '1'
local interval, tolerance, lease_max = tonumber(ARGV[at + 4]), tonumber(ARGV[at + 5]), tonumber(ARGV[at + 6])

if gate > now then
    return answer(GATE, gate - now)
end

local arrival = tonumber(redis.call('HGET', tenants, 'arrival:' .. tenant)) or now
-- Nothing writes a later one than this: it would be another clock's.
arrival = math.min(math.max(arrival, now), now + tolerance + interval)
if arrival > now + tolerance then
    redis.call('ZREM', waiting, tenant)
    return answer(BUCKET, arrival - tolerance - now)
end

local taken = redis.call('ZCARD', slots)
if taken >= open then
    local free_at = now + WINDOW
    local from = taken - math.max(open, 1)
    local next = redis.call('ZRANGE', slots, from, from, 'WITHSCORES')
    if next[2] then
        free_at = tonumber(next[2])
    end
    local wait = math.min(free_at - now, ASK_AGAIN)
    redis.call('ZADD', waiting, text(now + wait + GRACE), tenant)
    return answer(SLOTS, wait)
end

local function tag_of(name)
    local tag = tonumber(redis.call('HGET', tenants, 'tag:' .. name)) or turn
    return math.max(tag, turn - LAG, 0)
end

local tag = tag_of(tenant)
redis.call('ZREMRANGEBYSCORE', waiting, '-inf', text(now))
for _, other in ipairs(redis.call('ZRANGE', waiting, 0, -1)) do
    if other ~= tenant and tag_of(other) < tag then
        redis.call('ZADD', waiting, text(now + YIELD + GRACE), tenant)
        return answer(TURNS, YIELD)
    end
end

redis.call('ZADD', slots, text(now + lease_max + WINDOW), lease)
if more then
    redis.call('ZADD', waiting, text(now + GRACE), tenant)
else
    redis.call('ZREM', waiting, tenant)
end
redis.call('HSET', tenants, 'arrival:' .. tenant, text(arrival + interval),
    'tag:' .. tenant, text(tag + math.floor(TURN / weight)))
turn = math.max(turn, tag)
return answer(GRANTED, 0)
