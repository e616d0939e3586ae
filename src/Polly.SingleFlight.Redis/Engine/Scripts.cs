namespace Polly.SingleFlight.Redis.Engine;

/// <summary>
/// What Redis does in one step. A flight is a hash: <c>l</c> is its leader's id, <c>s</c> its start in microseconds of the server's clock, <c>i</c> the inbox of its leader, <c>w</c> set by the first that waits, who tells it;
/// every other field is the inbox of a node that waits, with the time of its registration. Every script takes time in proportion to the waiting nodes at most.
/// </summary>
/// <remarks>
/// Redis runs a script as one step; Garnet, by default, does not. So each relies on steps that are atomic by themselves: HSETNX decides who leads, and who tells the leader that somebody waits; RENAME takes a flight and all who
/// wait for it away at once; who registers looks afterwards whether the flight is still there. A message is one letter and a leader's id: O, there is an outcome, and a space and the time
/// from which on a caller may have held it follow; G, there is none, the flight was given up; W, to a leader, somebody waits.
/// </remarks>
internal static class Scripts
{
    /// <summary>
    /// Leads a flight, or follows one, or finds the outcome of one that was followed.
    /// KEYS: 1 the index, 2 the flight; for a caller that followed, 3 the followed flight when set aside, 4 its outcome.
    /// ARGV: 1 the id to lead with, 2 the lease in ms, 3 the caller's inbox, 4 the kind, 5 the greatest age to join in µs or -1, 6 the followed leader's id or '',
    /// 7 whether to join another flight than that (1 or 0).
    /// Returns L and the time, F with the leader, the rest of its lease in ms and the time, O with the outcome, the rest of its time in ms and the time, or N.
    /// </summary>
    public const string Acquire = """
        local time = redis.call('TIME')
        local now = time[1] * 1000000 + time[2]
        local written = string.format('%.0f', now)

        local function follow(flight, leader)
          local isNew = redis.call('HSETNX', flight, ARGV[3], written)
          local inbox = isNew == 1 and redis.call('HGET', flight, 'i')
          local isFirst = inbox and redis.call('HSETNX', flight, 'w', '1') == 1
          local left = redis.call('PTTL', flight)
          if redis.call('HGET', flight, 'l') ~= leader then
            redis.call('HDEL', flight, ARGV[3])
            if isFirst then redis.call('HDEL', flight, 'w') end
            return nil
          end
          if left < 0 then
            redis.call('PEXPIRE', flight, ARGV[2])
            left = tonumber(ARGV[2])
          end
          if isFirst then redis.call('PUBLISH', inbox, 'W' .. leader) end
          return {'F', leader, tostring(left), written}
        end

        local function outcome()
          local found = redis.call('GET', KEYS[4])
          if found then return {'O', found, tostring(redis.call('PTTL', KEYS[4])), written} end
        end

        for attempt = 1, 3 do
          if ARGV[6] ~= '' then
            local found = outcome()
            if found then return found end
            for i = 2, 3 do
              if redis.call('HGET', KEYS[i], 'l') == ARGV[6] then
                local following = follow(KEYS[i], ARGV[6])
                if following then return following end
              end
            end
            found = outcome()
            if found then return found end
          end
          if ARGV[7] == '0' then return {'N'} end

          local leader = redis.call('HGET', KEYS[2], 'l')
          if leader and ARGV[5] ~= '-1' then
            local start = tonumber(redis.call('HGET', KEYS[2], 's') or '')
            if start and now - start > tonumber(ARGV[5]) then
              redis.call('RENAME', KEYS[2], KEYS[2] .. ':' .. leader)
              leader = false
            end
          end
          if not leader and redis.call('HSETNX', KEYS[2], 'l', ARGV[1]) == 1 then
            redis.call('PEXPIRE', KEYS[2], ARGV[2])
            redis.call('HSET', KEYS[2], 's', written, 'i', ARGV[3])
            redis.call('HSET', KEYS[1], ARGV[4], ARGV[1])
            if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
            return {'L', written}
          end
          leader = leader or redis.call('HGET', KEYS[2], 'l')
          local following = leader and follow(KEYS[2], leader)
          if following then return following end
        end
        return {'N'}
        """;

    /// <summary>
    /// Renews the lease of a flight, also of one that was set aside.
    /// KEYS: 1 the index, 2 the flight, 3 the flight when set aside. ARGV: 1 the leader's id, 2 the lease in ms.
    /// Returns 1, or 0 if the flight is lost.
    /// </summary>
    public const string Renew = """
        for i = 2, 3 do
          if redis.call('HGET', KEYS[i], 'l') == ARGV[1] then
            redis.call('PEXPIRE', KEYS[i], ARGV[2])
            if i == 2 and redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
            return 1
          end
        end
        return 0
        """;

    /// <summary>
    /// Ends a flight: takes it away, and then, if somebody waits, leaves the outcome and wakes those who wait. Who came later than the cutoff is told that there is none.
    /// KEYS: 1 the index, 2 the flight, 3 the flight when set aside, 4 the outcome.
    /// ARGV: 1 the leader's id, 2 the kind, 3 the outcome or '', 4 how long it is kept in ms, 5 the cutoff in µs or 0, 6 whether the flight is given up (1 or 0).
    /// Returns how many wait for the outcome, none if the flight was lost, and the time from which on a caller may hold it; if no outcome was passed, each inbox and the time of
    /// its registration follow, nobody was told, and who looks still finds the flight set aside.
    /// </summary>
    public const string End = """
        if redis.call('HGET', KEYS[2], 'l') == ARGV[1] then
          redis.pcall('RENAME', KEYS[2], KEYS[3])
          if redis.call('HGET', KEYS[3], 'l') ~= ARGV[1] then
            redis.pcall('RENAME', KEYS[3], KEYS[2])
            return {'0'}
          end
          if redis.call('HGET', KEYS[1], ARGV[2]) == ARGV[1] then redis.call('HDEL', KEYS[1], ARGV[2]) end
        elseif redis.call('HGET', KEYS[3], 'l') ~= ARGV[1] then
          return {'0'}
        end
        local fields = redis.call('HGETALL', KEYS[3])

        local isGivenUp, isKept = ARGV[6] == '1', ARGV[3] == '' and ARGV[6] ~= '1'
        local cutoff = tonumber(ARGV[5])
        local time = redis.call('TIME')
        local now = time[1] * 1000000 + time[2]
        local ended = cutoff > 0 and cutoff < now and ARGV[5] or string.format('%.0f', now)
        local waiting, late, reply = {}, {}, {'', ended}
        for i = 1, #fields, 2 do
          if #fields[i] > 1 then
            local isLate = isGivenUp or (cutoff > 0 and (tonumber(fields[i + 1]) or 0) > cutoff)
            table.insert(isLate and late or waiting, fields[i])
            if isKept then
              table.insert(reply, fields[i])
              table.insert(reply, fields[i + 1])
            end
          end
        end
        reply[1] = tostring(#waiting)
        if isKept and #waiting > 0 then return reply end
        if #waiting > 0 then redis.call('SET', KEYS[4], ARGV[3], 'PX', ARGV[4]) end
        redis.call('DEL', KEYS[3])
        for _, inbox in ipairs(waiting) do redis.call('PUBLISH', inbox, 'O' .. ARGV[1] .. ' ' .. ended) end
        for _, inbox in ipairs(late) do redis.call('PUBLISH', inbox, 'G' .. ARGV[1]) end
        return reply
        """;

    /// <summary>
    /// Leaves the outcome of a flight that was ended without one.
    /// KEYS: 1 the outcome, 2 the flight when set aside. ARGV: 1 the leader's id, 2 the outcome, 3 how long it is kept in ms, 4 from when on a caller may hold
    /// it, 5 how many inboxes receive it, then these, then those that do not.
    /// </summary>
    public const string Deliver = """
        local count = tonumber(ARGV[5])
        if count > 0 then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
        redis.call('DEL', KEYS[2])
        for i = 6, #ARGV do redis.call('PUBLISH', ARGV[i], i - 5 <= count and 'O' .. ARGV[1] .. ' ' .. ARGV[4] or 'G' .. ARGV[1]) end
        return 1
        """;

    /// <summary>
    /// Sends a node a message of its own. ARGV: 1 its inbox.
    /// </summary>
    public const string Hello = """
        return redis.call('PUBLISH', ARGV[1], 'H')
        """;

    /// <summary>
    /// Sets aside the flights of a key, of every kind, so that newcomers start afresh.
    /// KEYS: 1 the index. Returns how many there were.
    /// </summary>
    public const string Forget = """
        local kinds = redis.call('HGETALL', KEYS[1])
        redis.call('DEL', KEYS[1])
        local count = 0
        for i = 1, #kinds, 2 do
          local flight = KEYS[1] .. ':' .. kinds[i]
          local leader = redis.call('HGET', flight, 'l')
          if leader then
            redis.pcall('RENAME', flight, flight .. ':' .. leader)
            count = count + 1
          end
        end
        return count
        """;
}
