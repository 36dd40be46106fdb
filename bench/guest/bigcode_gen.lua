-- bigcode_gen.lua OUT.c OUT.h [FUNCTIONS]: functions for bigcode.c, the same ones each time.
--
-- They use what compiles to code alone: no large constants, no divisions by a
-- constant, no tables, no calls but to each other.

local FUNCTIONS, STATEMENTS = tonumber(arg[3] or 600), 34

local seed = 12345
local function random(n) -- 0 to n - 1
    seed = (seed * 1103515245 + 12345) & 0x7fffffff
    return (seed >> 8) % n
end

local function var()
    return "v" .. random(6)
end

-- Two that differ around an operator: the compiler would fold them otherwise.
local function two_vars(operators)
    local a = random(6)
    return ("v%d %s v%d"):format(a, operators[random(#operators) + 1], (a + 1 + random(5)) % 6)
end

local binary = { "+", "-", "^", "&", "|", "*" }
local compare = { "<", ">", "==" }

local function expr()
    local kind = random(8)
    if kind < 4 then
        return two_vars(binary)
    elseif kind < 6 then
        return ("%s %s %du"):format(var(), binary[random(4) + 1], random(0x7ffff) + 1)
    elseif kind == 6 then
        return ("%s << %d ^ %s >> %d"):format(var(), random(11) + 1, var(), random(31) + 1)
    end
    return ("(%s & 0xffff) %s (%s | 1)"):format(var(), random(2) == 0 and "/" or "%", var())
end

local function assign()
    return ("%s %s %s;"):format(var(), ({ "=", "+=", "^=", "-=" })[random(4) + 1], expr())
end

local function statement(index)
    local kind = random(10)
    if kind < 5 then
        return "    " .. assign()
    elseif kind < 8 then
        return ("    if (%s) {\n        %s\n        %s\n    } else {\n        %s\n    }"):format(
            two_vars(compare), assign(), assign(), assign())
    elseif kind == 8 and index > 0 then
        return ("    %s += small%d(%s, %s);"):format(var(), random(16), var(), var())
    end
    return ("    for (unsigned i = 0; i < (%s & 3); i++)\n        %s"):format(var(), assign())
end

local function write(path, text)
    local f = assert(io.open(path, "w"))
    f:write(text)
    assert(f:close())
end

local out = { [[
/* Written by bigcode_gen.lua. */
#include "bigcode.h"

#ifdef __clang__
#define IN_SECTION __attribute__((section("bigcode_text"), noinline))
#else
#define IN_SECTION __attribute__((section("bigcode_text"), noinline, noclone))
#endif
]] }
local function add(s, ...)
    out[#out + 1] = s:format(...)
end

for i = 0, 15 do
    add("static IN_SECTION uint64_t small%d(uint64_t v0, uint64_t v1)\n{", i)
    add("    return (v0 << %d) + (v1 ^ %du);\n}\n", i % 7 + 1, random(0x7ffff))
end
for i = 0, FUNCTIONS - 1 do
    add("static IN_SECTION uint64_t big%d(uint64_t v0, uint64_t v1)\n{", i)
    add("    uint64_t v2 = v0 ^ %du, v3 = v1 + %du, v4 = v0 - v1, v5 = v0 * 3;\n", random(0x7ffff),
        random(0x7ffff))
    for s = 1, STATEMENTS do
        out[#out + 1] = statement(s)
    end
    out[#out + 1] = "    return v0 + v1 + v2 + v3 + v4 + v5;\n}\n"
end
add("bigcode_fn *const bigcode_table[BIGCODE_FUNCTIONS] = {")
for i = 0, FUNCTIONS - 1 do
    add("    big%d,", i)
end
add("};")

write(arg[1], table.concat(out, "\n") .. "\n")
write(arg[2], ([[
/* Written by bigcode_gen.lua. */
#ifndef BIGCODE_H
#define BIGCODE_H

#include <stdint.h>

#define BIGCODE_FUNCTIONS %d
typedef uint64_t bigcode_fn(uint64_t a, uint64_t b);
extern bigcode_fn *const bigcode_table[BIGCODE_FUNCTIONS];

#endif
]]):format(FUNCTIONS))
