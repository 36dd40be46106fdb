-- lib.lua - what the benchmark tools share: numbers and JSON.

local lib = {}

-- ---- numbers ----

function lib.median(values)
    local v = table.move(values, 1, #values, 1, {})
    table.sort(v)
    local n = #v
    if n == 0 then
        return nil
    end
    return n % 2 == 1 and v[n // 2 + 1] or (v[n // 2] + v[n // 2 + 1]) / 2
end

function lib.geomean(values)
    local sum = 0
    for _, v in ipairs(values) do
        sum = sum + math.log(v)
    end
    return #values > 0 and math.exp(sum / #values) or nil
end

function lib.range(values)
    local low, high = math.huge, -math.huge
    for _, v in ipairs(values) do
        low, high = math.min(low, v), math.max(high, v)
    end
    return low, high
end

-- Three digits that matter, as in 0.123, 1.23, 12.3, 123, 1230.
function lib.number(v)
    if not v then
        return "-"
    end
    local digits = v > 0 and math.max(0, 2 - math.floor(math.log(v, 10))) or 2
    return ("%." .. math.tointeger(math.min(digits, 4)) .. "f"):format(v)
end

function lib.keys(t)
    local keys = {}
    for k in pairs(t) do
        keys[#keys + 1] = k
    end
    table.sort(keys)
    return keys
end

-- ---- tables for people ----

-- Rows of cells; the first `left` columns are aligned left, the others right.
function lib.print_table(rows, left)
    local widths = {}
    for _, row in ipairs(rows) do
        for i, cell in ipairs(row) do
            widths[i] = math.max(widths[i] or 0, utf8.len(cell))
        end
    end
    for _, row in ipairs(rows) do
        local out = {}
        for i, cell in ipairs(row) do
            local space = (" "):rep(widths[i] - utf8.len(cell))
            out[i] = i <= left and cell .. space or space .. cell
        end
        print((table.concat(out, "  "):gsub("%s+$", "")))
    end
end

-- ---- JSON ----

local function quote(s)
    return '"' .. s:gsub('[%c"\\]', function(c)
        return ("\\u%04x"):format(c:byte())
    end) .. '"'
end

-- A table with a first element, or none at all, is an array.
function lib.encode(value, indent)
    indent = indent or ""
    if type(value) == "string" then
        return quote(value)
    elseif type(value) == "number" then
        return math.type(value) == "integer" and tostring(value) or ("%.9g"):format(value)
    elseif type(value) ~= "table" then
        return tostring(value)
    end
    local parts, more = {}, indent .. "  "
    if #value > 0 or not next(value) then
        for i, v in ipairs(value) do
            parts[i] = lib.encode(v, more)
        end
        return "[" .. table.concat(parts, ", ") .. "]"
    end
    for _, k in ipairs(lib.keys(value)) do
        parts[#parts + 1] = more .. quote(k) .. ": " .. lib.encode(value[k], more)
    end
    return "{\n" .. table.concat(parts, ",\n") .. "\n" .. indent .. "}"
end

local escapes = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }

local function unescape(s)
    s = s:gsub("\\u(%x%x%x%x)", function(hex)
        return hex == "005c" and "\\\\" or utf8.char(tonumber(hex, 16))
    end)
    return (s:gsub("\\(.)", function(c)
        return escapes[c] or c
    end))
end

local decode_value

-- What is between brackets: read(at) reads an element and returns where it ended.
local function decode_list(text, at, close, read)
    at = text:match("^%s*()", at)
    if text:sub(at, at) == close then
        return at + 1
    end
    while true do
        at = text:match("^%s*()", read(at))
        local c = text:sub(at, at)
        at = at + 1
        if c == close then
            return at
        elseif c ~= "," then
            error(("not JSON at byte %d: , or %s expected"):format(at - 1, close), 0)
        end
    end
end

local function decode_string(text, at)
    local stop = at
    repeat
        stop = text:find('[\\"]', stop + 1) or error("not JSON: a string has no end", 0)
        local last = text:sub(stop, stop) == '"'
        stop = last and stop or stop + 1
    until last
    return unescape(text:sub(at + 1, stop - 1)), stop + 1
end

local function decode_object(text, at)
    local t = {}
    at = decode_list(text, at + 1, "}", function(from)
        local key, value
        key, from = decode_value(text, from)
        from = text:match("^%s*:()", from) or error("not JSON: a colon is missing", 0)
        value, from = decode_value(text, from)
        t[key] = value
        return from
    end)
    return t, at
end

local function decode_array(text, at)
    local t = {}
    at = decode_list(text, at + 1, "]", function(from)
        t[#t + 1], from = decode_value(text, from)
        return from
    end)
    return t, at
end

local words = { ["true"] = true, ["false"] = false }

function decode_value(text, at)
    at = text:match("^%s*()", at)
    local c = text:sub(at, at)
    if c == "{" then
        return decode_object(text, at)
    elseif c == "[" then
        return decode_array(text, at)
    elseif c == '"' then
        return decode_string(text, at)
    end
    local word, stop = text:match("^([%w.+-]+)()", at)
    local number = tonumber(word)
    if not number and words[word] == nil and word ~= "null" then
        error(("not JSON at byte %d"):format(at), 0)
    end
    return number or words[word], stop
end

-- The value, or an error with a message.
function lib.decode(text)
    local value, at = decode_value(text, 1)
    if text:find("%S", at) then
        error(("not JSON: more at byte %d"):format(at), 0)
    end
    return value
end

return lib
