-- Asks edgeauth about a request: an action for `http-request lua.edgeauth`.
-- Sets txn.edgeauth_admitted to true on an admission, and to false on anything else.
--
-- edgeauth:parameter header = Edge-Auth
-- edgeauth:question = "edge-auth",

local socket = os.getenv("EDGEAUTH_SOCKET")
local timeout = 2000 -- milliseconds

-- What the decision needs of the client's own fields.
local asked_with = {
    "edge-auth",
    "edge-auth-pass",
    "sec-websocket-key",
    "sec-websocket-version",
}
-- And what begins so.
local beginnings = {
    -- edgeauth:beginning = "NAME",
}
local handed_on = { "x-edgeauth-reason", "x-edgeauth-pop", "x-edgeauth-age", "x-edgeauth-key" }

-- All values of a header field, as received. HAProxy numbers them from 0.
local function values(headers, name)
    local found = {}
    local field = headers[name]
    if field then
        for place = 0, #field do
            found[#found + 1] = field[place]
        end
    end
    return found
end

-- Whether the Connection field of a request to become a WebSocket says so. HAProxy hands
-- Upgrade on only then.
local function upgrades(headers)
    for _, value in ipairs(values(headers, "connection")) do
        for token in value:lower():gmatch("[^,%s]+") do
            if token == "upgrade" then
                return true
            end
        end
    end
    return false
end

local function ask(txn)
    local received = txn.http:req_get_headers()
    local headers = {
        ["host"] = { "edgeauth" },
        ["x-original-method"] = { txn.sf:method() },
        -- As received: an exemption is compared with the raw path.
        ["x-original-uri"] = { txn.sf:pathq() },
        ["x-forwarded-for"] = { txn.sf:src() },
        -- The same if the client of HAProxy asks again, and of no visitor's choosing: a retry is
        -- no replay.
        ["x-request-id"] = { txn.sf:uuid() },
    }
    local host = values(received, "host")
    if #host == 1 then
        headers["x-original-host"] = host
    end
    if upgrades(received) then
        headers["x-original-upgrade"] = values(received, "upgrade")
    end
    for _, name in ipairs(asked_with) do
        local found = values(received, name)
        if #found > 0 then
            headers[name] = found
        end
    end
    for name in pairs(received) do
        for _, beginning in ipairs(beginnings) do
            if name:sub(1, #beginning) == beginning then
                headers[name] = values(received, name)
            end
        end
    end
    return core.httpclient():get {
        url = "http://edgeauth/",
        dst = socket,
        headers = headers,
        timeout = timeout,
    }
end

core.register_action("edgeauth", { "http-req" }, function(txn)
    txn:set_var("txn.edgeauth_admitted", false)
    local answer = ask(txn)
    if not answer or answer.status ~= 204 then
        return
    end
    for _, name in ipairs(handed_on) do
        for _, value in ipairs(values(answer.headers, name)) do
            txn.http:req_set_header(name, value)
        end
    end
    txn:set_var("txn.edgeauth_admitted", true)
end, 0)
