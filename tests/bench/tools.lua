-- tools.lua - lib.lua, initramfs.lua and compare.  Prints TAP.

local top = os.getenv("top_srcdir")
package.path = top .. "/bench/?.lua;" .. package.path
local lib = require("lib")
local initramfs = require("initramfs")

local count = 0
local function ok(good, name)
    count = count + 1
    print(("%sok %d - %s"):format(good and "" or "not ", count, name))
end

local function write(path, text)
    local f = assert(io.open(path, "wb"))
    f:write(text)
    f:close()
end

local function read(path)
    local f = assert(io.open(path, "rb"))
    local text = f:read("a")
    f:close()
    return text
end

-- ---- numbers ----

ok(lib.median { 3, 1, 2 } == 2 and lib.median { 4, 1, 2, 3 } == 2.5 and lib.median {} == nil, "median")
ok(math.abs(lib.geomean { 1, 4, 16 } - 4) < 1e-12 and lib.geomean {} == nil, "geometric mean")
ok(select("#", lib.range { 2 }) == 2 and lib.range { 5, 3, 4 } == 3, "range")
ok(lib.number(0.12345) == "0.123" and lib.number(12.345) == "12.3" and lib.number(1234.5) == "1234" and
    lib.number(0) == "0.00" and lib.number(nil) == "-", "numbers are short")

-- ---- JSON ----

local value = { a = { 1, 2.5, -3e-7 }, b = { c = "quote \" back \\ line\n", d = true, e = {} }, f = "µs" }
local again = lib.decode(lib.encode(value))
ok(again.a[2] == 2.5 and math.abs(again.a[3] + 3e-7) < 1e-12 and again.b.c == value.b.c and again.b.d == true and
    #again.b.e == 0 and again.f == "µs", "what is written as JSON is read again")
ok(lib.decode('{"a": [{}, [], null, "\\u0041\\/\\t"]}').a[3] == "A/\t", "JSON of others is read")
for _, bad in ipairs { "", "{", '{"a"}', "[1 2]", '"open', "[1] x", "nope" } do
    ok(not pcall(lib.decode, bad), "no JSON: " .. bad)
end

-- ---- the initramfs ----

local base, out, program = os.tmpname(), os.tmpname(), os.tmpname()
write(base, "base.")
write(program, "program")
initramfs(base, out, { { "bench/run", program }, { "bench/more", program } })
local data = read(out)

-- The entries of a cpio archive, from `at` on: "name mode contents".
local function entries(at)
    local list = {}
    repeat
        local head = data:sub(at, at + 109)
        local field = function(i)
            return tonumber(head:sub(7 + 8 * i, 14 + 8 * i), 16)
        end
        local size, length = field(6), field(11)
        local name = data:sub(at + 110, at + 110 + length - 2)
        local from = at + (110 + length + 3) // 4 * 4
        list[#list + 1] = ("%s %o %s"):format(name, field(1), data:sub(from, from + size - 1))
        at = from + (size + 3) // 4 * 4
    until head:sub(1, 6) ~= "070701" or name == "TRAILER!!!"
    return table.concat(list, "|")
end
ok(data:sub(1, 8) == "base.\0\0\0" and #data % 4 == 0, "an archive begins behind the first one, aligned")
ok(entries(9) == "bench 40755 |bench/run 100755 program|bench/more 100755 program|TRAILER!!! 0 ",
    "and has directories and programs")

-- ---- compare ----

local function result(path, times)
    local programs = {}
    for name, values in pairs(times) do
        programs[name] = { group = "cpu", sums = {}, times = { glovebox = { wall = values, cpu = values } } }
    end
    write(path, lib.encode {
        format = 1, rounds = 3, size = 100, programs = programs, boot = {}, micro = {}, counters = {},
        emulators = { { name = "glovebox", kind = "glovebox", version = "1" } },
    })
end

local function compare(old, new)
    result(base, old)
    result(out, new)
    local pipe = io.popen(("'%s' '%s/bench/compare' '%s' '%s' 2>&1"):format(os.getenv("LUA"), top, base, out))
    local text = pipe:read("a")
    local _, _, status = pipe:close()
    return text, status
end

local text, status = compare({ a = { 1, 1.1, 1.2 }, b = { 2, 2, 2 } }, { a = { 1.3, 1.4, 1.5 }, b = { 2, 2, 2.01 } })
ok(status == 1 and text:find("glovebox a%s+1.10%s+1.40%s+1.27%s+SLOWER") and not text:find("glovebox b"),
    "compare: slower beyond the noise")
text, status = compare({ a = { 1, 1.1, 1.4 } }, { a = { 1.3, 1.4, 1.5 } })
ok(status == 0 and text:find("nothing changed"), "compare: ranges that meet are noise")
text, status = compare({ a = { 1.3, 1.4, 1.5 } }, { a = { 1, 1.1, 1.2 } })
ok(status == 0 and text:find("faster"), "compare: faster")
write(out, "{}")
local _, _, bad = os.execute(("'%s' '%s/bench/compare' '%s' '%s' 2>/dev/null"):format(os.getenv("LUA"), top, base, out))
ok(bad == 2, "compare: refuses what is no result")

os.remove(base)
os.remove(out)
os.remove(program)
print("1.." .. count)
