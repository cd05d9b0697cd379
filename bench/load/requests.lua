-- The requests of the load, for wrk. Arguments: what, who ("user" or "token"), first debtor ID, debtors, seed.
-- The same requests are made in socket-client.ts for machines without wrk.

local what, who, first, count

function init(args)
  what, who, first, count = args[1], args[2], tonumber(args[3]), tonumber(args[4])
  math.randomseed(tonumber(args[5]))
end

local function uuid()
  return string.format("%08x-%04x-4%03x-8%03x-%06x%06x", math.random(0, 0xffffffff), math.random(0, 0xffff),
    math.random(0, 0xfff), math.random(0, 0xfff), math.random(0, 0xffffff), math.random(0, 0xffffff))
end

function request()
  local id = string.format("%.0f", first + math.random(0, count - 1))
  local identity = who == "token" and "Authorization: Bearer token-" .. id or "X-Swpt-User-Id: debtors:" .. id
  if what == "get-debtor" then
    return "GET /debtors/" .. id .. "/ HTTP/1.1\r\nHost: localhost\r\n" .. identity .. "\r\n\r\n"
  end
  local body = '{"type":"TransferCreationRequest","transferUuid":"' .. uuid() .. '","recipient":{"type":"AccountIdentity",' ..
    '"uri":"swpt:' .. id .. '/holder"},"amount":1000,"noteFormat":".","note":"Thank you!"}'
  return "POST /debtors/" .. id .. "/transfers/ HTTP/1.1\r\nHost: localhost\r\n" .. identity ..
    "\r\nContent-Type: application/json\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body
end
