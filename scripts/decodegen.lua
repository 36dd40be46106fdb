-- decodegen.lua - from a guest's table of instructions (*.decode) to C and Markdown.
--
--   decodegen.lua --ops    TABLE OUT   enum PREFIX_op and enum PREFIX_row
--   decodegen.lua --tables TABLE OUT   the decision tree and the tables behind the decoder's text
--   decodegen.lua --docs   TABLE OUT   the reference page
--
-- The table's own header explains its language.  The enumerators' prefix is
-- the word behind --prefix (default rv).  The C file that includes the tables
-- declares struct PREFIX_insn (with members raw, op, row, len and those that
-- the table's fields name) and struct PREFIX_row_info.

local table_name, lines_read = nil, 0

local function fail(fmt, ...)
    io.stderr:write(("%s:%d: "):format(table_name, lines_read), fmt:format(...), "\n")
    os.exit(1)
end

local function check(cond, fmt, ...)
    if not cond then
        fail(fmt, ...)
    end
    return cond
end

local function words(s)
    local t = {}
    for w in s:gmatch("%S+") do
        t[#t + 1] = w
    end
    return t
end

local function ones(n)
    return (1 << n) - 1
end

local function popcount(v)
    local n = 0
    while v ~= 0 do
        v, n = v & (v - 1), n + 1
    end
    return n
end

local function c_name(s)
    return (s:upper():gsub("[^%w]", "_"))
end

local function c_string(s)
    return '"' .. s:gsub('[\\"]', "\\%0") .. '"'
end

------------------------------------------------------------------------------
-- Reading the table

local isa = { extensions = {}, fields = {}, field = {}, kinds = {}, kind = {}, rows = {}, row = {}, names = {} }

-- "[12|10:5]" -> { {12,12}, {10,5} }, 7
local function parse_piece(text)
    local ranges, width = {}, 0
    for part in text:sub(2, -2):gmatch("[^|]+") do
        local hi, lo = part:match("^(%d+):(%d+)$")
        hi = math.tointeger(hi or part)
        lo = math.tointeger(lo or part)
        check(hi and lo and hi >= lo, "bad bits '%s'", text)
        ranges[#ranges + 1] = { hi = hi, lo = lo }
        width = width + hi - lo + 1
    end
    return { text = text, ranges = ranges, width = width }
end

local function read_field(w)
    local f = { name = check(w[2], "a field needs a name"), pieces = {}, members = {}, add = 0, top = 0, low = 64 }
    f.stem = f.name:match("^[^.]+")
    check(not isa.field[f.name], "field '%s' is declared twice", f.name)
    local i = 3
    while w[i] and w[i]:match("^%[.*%]$") do
        local piece = parse_piece(w[i])
        for _, r in ipairs(piece.ranges) do
            f.top, f.low = math.max(f.top, r.hi), math.min(f.low, r.lo)
        end
        f.pieces[#f.pieces + 1], i = piece, i + 1
    end
    check(#f.pieces > 0 and w[i] and w[i + 1], "field '%s' needs bits, a kind and a member", f.name)
    f.kind, i = w[i], i + 1
    for j = i, #w do
        if w[j] == "signed" then
            f.signed = true
        elseif w[j]:match("^%+%d+$") then
            f.add = math.tointeger(w[j]:sub(2))
        else
            f.members[#f.members + 1] = w[j]
        end
    end
    f.index = #isa.fields
    isa.fields[#isa.fields + 1], isa.field[f.name] = f, f
    if not isa.kind[f.kind] then
        isa.kind[f.kind] = true
        isa.kinds[#isa.kinds + 1] = f.kind
    end
end

local function read_name(w)
    local first, last = check(w[3], "a name needs a number"):match("^(%w+)%.%.(%w+)$")
    first = math.tointeger(tonumber(first or w[3]))
    last = math.tointeger(tonumber(last)) or first
    check(first and last >= first and w[4], "bad name '%s'", table.concat(w, " "))
    local list = isa.names[w[2]] or {}
    isa.names[w[2]] = list
    for n = first, last do
        local name = w[4]:gsub("#(%d+)", function(base)
            return tostring(math.tointeger(base) + n - first)
        end)
        check(#list == 0 or list[#list].number < n, "the numbers of '%s' must go up", w[2])
        list[#list + 1] = { number = n, name = name }
    end
end

-- The row's field that an operand or a condition calls `word`.
local function row_field(row, word)
    for _, use in ipairs(row.uses) do
        if use.field.name == word or use.field.stem == word then
            return use.field
        end
    end
end

-- Sets row.match and row.mask, row.slices (where each run of bits goes), and
-- row.parts (the pattern as the page shows it).
local function read_pattern(row, text)
    local parts, next_piece, width = {}, {}, 0
    row.uses = {}
    for _, w in ipairs(words(text)) do
        local part
        if w:match("^[01-]+$") then
            part = { bits = w, width = #w }
        else
            local f = check(isa.field[w], "'%s' is no field and no bits", w)
            local n = (next_piece[w] or 0) + 1
            local piece = check(f.pieces[n], "'%s' is named too often", w)
            if n == 1 then
                row.uses[#row.uses + 1] = { field = f, bits = 0 }
            end
            next_piece[w] = n
            part = { field = f, piece = piece, width = piece.width }
        end
        parts[#parts + 1], width = part, width + part.width
    end
    check(width == 16 or width == 32, "the pattern of %s has %d bits", row.name, width)
    for name, n in pairs(next_piece) do
        check(#isa.field[name].pieces == n, "%s lacks a part of '%s'", row.name, name)
    end
    row.width, row.parts, row.match, row.mask, row.slices = width, parts, 0, 0, {}
    local at = width
    for _, part in ipairs(parts) do
        if part.bits then
            for bit in part.bits:gmatch(".") do
                at = at - 1
                local kind = bit == "-" and "ignored" or "fixed"
                if kind == "fixed" then
                    row.mask = row.mask | 1 << at
                    row.match = row.match | (bit == "1" and 1 << at or 0)
                end
                local last = row.slices[#row.slices]
                if last and last.kind == kind and last.part == part then
                    last.at, last.width = at, last.width + 1
                else
                    row.slices[#row.slices + 1] = { kind = kind, at = at, width = 1, to = 0, part = part }
                end
            end
        else
            for _, r in ipairs(part.piece.ranges) do
                local n = r.hi - r.lo + 1
                at = at - n
                row.slices[#row.slices + 1] = { kind = "field", field = part.field, at = at, width = n, to = r.lo }
            end
        end
    end
end

local function read_notes(row, text)
    row.conditions, row.set = {}, {}
    local list, base = text, nil
    if text:match("^=%s") or text:match("%s=%s") then
        list, base = text:match("^(.-)%s*=%s+(.*)$")
    end
    for _, w in ipairs(words(list)) do
        local name, op, value = w:match("^([%w._']+)([!=<>]+)(%d+)$")
        check(name and (op == "!=" or op == "==" or op == "<" or op == ">" or op == "<=" or op == ">="),
            "'%s' is no condition", w)
        local f = check(row_field(row, name), "%s has no field '%s'", row.name, name)
        row.conditions[#row.conditions + 1] = { field = f, op = op, value = value, text = name .. op .. value }
    end
    row.base = row.name
    if base then
        local w = words(base)
        row.base, row.is_alias = w[1], true
        for i = 2, #w do
            local member, value = w[i]:match("^(%w+)=(-?%d+)$")
            check(member, "'%s' is no setting", w[i])
            row.set[#row.set + 1] = { member = member, value = value }
        end
    end
end

-- Operand names become the byte 0x80 + the field's index; the rest is text.
local function read_operands(row, text)
    row.operands = text
    row.template = text:gsub("[%a][%w._']*", function(word)
        local f = row_field(row, word)
        return f and string.char(0x80 + f.index)
    end)
end

local function read_row(line)
    local col = {}
    for c in (line .. "|"):gmatch("([^|]*)|") do
        col[#col + 1] = c:match("^%s*(.-)%s*$")
    end
    check(#col == 5, "a row has 5 columns, this one %d", #col)
    check(#isa.extensions > 0, "a row stands before the first extension")
    local row = { name = col[1], doc = col[5], extension = isa.extensions[#isa.extensions], line = lines_read }
    check(not isa.row[row.name], "'%s' is there twice", row.name)
    check(row.doc ~= "", "%s has no documentation", row.name)
    read_pattern(row, col[2])
    read_notes(row, col[4])
    read_operands(row, col[3])
    row.index, row.id = #isa.rows, c_name(row.name)
    isa.rows[#isa.rows + 1], isa.row[row.name] = row, row
    local rows = row.extension.rows
    rows[#rows + 1] = row
end

local function read_line(line)
    local w = words(line)
    if line:find("|", 1, true) and w[1] ~= "field" then
        read_row(line)
    elseif w[1] == "isa" then
        isa.name, isa.title = w[2], table.concat(w, " ", 3)
    elseif w[1] == "field" then
        read_field(w)
    elseif w[1] == "name" then
        read_name(w)
    elseif w[1] == "extension" then
        isa.extensions[#isa.extensions + 1] = { name = w[2], title = table.concat(w, " ", 3), rows = {} }
    else
        fail("'%s' is not understood", w[1])
    end
end

-- True if some word matches both rows' fixed bits.
local function overlap(a, b)
    return (a.match ~ b.match) & a.mask & b.mask == 0
end

local function more_specific(a, b)
    local na, nb = popcount(a.mask), popcount(b.mask)
    if na ~= nb then
        return na > nb
    end
    return a.index < b.index
end

-- Every base exists; two rows that meet are nested, so that "more fixed bits" decides.
local function check_rows()
    for i, a in ipairs(isa.rows) do
        lines_read = a.line
        local base = check(isa.row[a.base], "%s: there is no row '%s'", a.name, a.base)
        check(not base.is_alias, "%s: '%s' is itself another row's spelling", a.name, a.base)
        for j = 1, i - 1 do
            local b = isa.rows[j]
            if overlap(a, b) then
                local both = a.mask & b.mask
                check(a.mask ~= b.mask and (both == a.mask or both == b.mask),
                    "%s and %s overlap, and neither is inside the other", a.name, b.name)
                check(a.width == b.width, "%s and %s overlap", a.name, b.name)
            end
        end
    end
end

local function read_table(name)
    table_name = name
    local file = assert(io.open(name))
    for line in file:lines() do
        lines_read = lines_read + 1
        line = line:gsub("^#.*", ""):gsub("%s+#%s.*$", "")
        if line:match("%S") then
            read_line(line)
        end
    end
    file:close()
    check(isa.name, "no isa line")
    check(#isa.fields < 0x7f, "too many fields")
    check_rows()
end

-- Rows that are operations of their own, in the table's order.
local function ops()
    local list = {}
    for _, row in ipairs(isa.rows) do
        if not row.is_alias then
            list[#list + 1] = row
        end
    end
    return list
end

------------------------------------------------------------------------------
-- Writing C

local out, prefix = {}, "rv"

local function emit(fmt, ...)
    out[#out + 1] = select("#", ...) > 0 and fmt:format(...) or fmt
end

local function heading()
    emit("/* Made by scripts/decodegen.lua from %s.decode; do not edit. */", isa.name)
end

local function write_ops()
    local P = prefix:upper()
    heading()
    emit("#ifndef %s_DECODE_OPS_H", P)
    emit("#define %s_DECODE_OPS_H", P)
    emit("\n/* What an instruction does. */\nenum %s_op {\n    %s_OP_ILLEGAL,", prefix, P)
    for _, row in ipairs(ops()) do
        emit("    %s_OP_%s,", P, row.id)
    end
    emit("    %s_OP_COUNT\n};", P)
    emit("\n/* How it is encoded: a line of the table.  %s_ROW_ILLEGAL is no line. */\nenum %s_row {", P, prefix)
    for _, row in ipairs(isa.rows) do
        emit("    %s_ROW_%s,", P, row.id)
    end
    emit("    %s_ROW_COUNT,\n    %s_ROW_ILLEGAL = %s_ROW_COUNT\n};", P, P, P)
    emit("\n#endif")
end

-- The C expression for a field's value in `raw`, before sign and addition.
local function field_bits(row, f)
    local terms = {}
    for _, s in ipairs(row.slices) do
        if s.field == f then
            local term = s.at == 0 and "raw" or ("raw >> %d"):format(s.at)
            if s.at + s.width < 32 then
                term = s.at == 0 and ("raw & 0x%x"):format(ones(s.width)) or ("(%s) & 0x%x"):format(term, ones(s.width))
            end
            terms[#terms + 1] = s.to == 0 and ("(%s)"):format(term) or ("(%s) << %d"):format(term, s.to)
        end
    end
    return table.concat(terms, " | ")
end

local function field_value(row, f)
    local e = field_bits(row, f)
    if f.signed then
        e = ("bits_sext(%s, %d)"):format(e, f.top + 1)
    elseif f.add ~= 0 then
        e = ("(%s) + %d"):format(e, f.add)
    end
    return e
end

-- The statements that fill in a row's members.  Fields that share a member are ored.
local function extraction(row)
    local order, value = {}, {}
    for _, use in ipairs(row.uses) do
        local e = field_value(row, use.field)
        for _, m in ipairs(use.field.members) do
            if value[m] then
                value[m] = value[m] .. " | " .. e
            else
                order[#order + 1], value[m] = m, e
            end
        end
    end
    for _, s in ipairs(row.set) do
        check(not value[s.member], "%s sets '%s' twice", row.name, s.member)
        order[#order + 1], value[s.member] = s.member, s.value
    end
    local text = {}
    for _, m in ipairs(order) do
        text[#text + 1] = ("    in->%s = %s;"):format(m, value[m])
    end
    return table.concat(text, "\n")
end

-- Labels of the ways to fill in members; rows with the same way share one.
local forms, form_number = {}, {}

local function form_of(row)
    local text = extraction(row)
    if not form_number[text] then
        forms[#forms + 1], form_number[text] = text, #forms + 1
    end
    return form_number[text]
end

local function condition_text(row, c)
    return ("(%s) %s %s"):format(field_value(row, c.field), c.op, c.value)
end

-- What to do at a leaf: check the bits that are not known yet, and the row's conditions.
local function emit_leaf(row, known, indent)
    local pad, tests = ("    "):rep(indent), {}
    local rest = row.mask & ~known
    if rest ~= 0 then
        tests[1] = ("(raw & 0x%x) == 0x%x"):format(rest, row.match & rest)
    end
    for _, c in ipairs(row.conditions) do
        tests[#tests + 1] = condition_text(row, c)
    end
    local P = prefix:upper()
    local set = ("in->op = %s_OP_%s; in->row = %s_ROW_%s; goto form%d;"):format(
        P, c_name(row.base), P, row.id, form_of(row))
    if #tests > 0 then
        emit("%sif (%s) { %s }", pad, table.concat(tests, " && "), set)
    else
        emit("%s%s", pad, set)
    end
    return #tests == 0
end

-- The run of bits, fixed in all rows and not known yet, that parts them best.
local function best_split(rows, known)
    local common = ~known & ones(32)
    for _, row in ipairs(rows) do
        common = common & row.mask
    end
    local best
    for lo = 0, 31 do
        for width = 1, 8 do
            local bits = ones(width) << lo
            if common & bits ~= bits then
                break
            end
            local groups, count, largest = {}, 0, 0
            for _, row in ipairs(rows) do
                local v = row.match >> lo & ones(width)
                if not groups[v] then
                    groups[v], count = {}, count + 1
                end
                table.insert(groups[v], row)
                largest = math.max(largest, #groups[v])
            end
            local score = count * 100 - largest - width
            if count > 1 and (not best or score > best.score) then
                best = { lo = lo, width = width, bits = bits, groups = groups, score = score }
            end
        end
    end
    return best
end

local emit_tree

local function emit_switch(split, known, indent)
    local pad, values = ("    "):rep(indent), {}
    for v in pairs(split.groups) do
        values[#values + 1] = v
    end
    table.sort(values)
    emit("%sswitch (raw >> %d & 0x%x) {", pad, split.lo, ones(split.width))
    for _, v in ipairs(values) do
        emit("%scase 0x%x:", pad, v)
        if not emit_tree(split.groups[v], known | split.bits, indent + 1) then
            emit("%s    break;", pad)
        end
    end
    emit("%s}", pad)
end

-- Rows that no bits part: the special ones first, behind one test of what they share.
local function emit_list(rows, known, indent)
    local pad = ("    "):rep(indent)
    local general = rows[#rows]
    local special = table.move(rows, 1, #rows - 1, 1, {})
    local share, value = ones(32) & ~known, special[1].match
    for _, row in ipairs(special) do
        share = share & row.mask & ~(row.match ~ value)
    end
    if #special > 1 and share ~= 0 then
        emit("%sif ((raw & 0x%x) == 0x%x) {", pad, share, value & share)
        emit_tree(special, known | share, indent + 1)
        emit("%s}", pad)
    else
        for _, row in ipairs(special) do
            emit_leaf(row, known, indent)
        end
    end
    return emit_leaf(general, known, indent)
end

-- Rows are sorted, the most specific first.  True if control never comes out behind.
function emit_tree(rows, known, indent)
    if #rows == 1 then
        return emit_leaf(rows[1], known, indent)
    end
    local split = best_split(rows, known)
    if split then
        emit_switch(split, known, indent)
        return false
    end
    return emit_list(rows, known, indent)
end

local function write_match()
    emit("\n/* Fills in *in from raw; false if no row matches. */")
    emit("static bool %s_match(uint32_t raw, struct %s_insn *in)\n{", prefix, prefix)
    local rows = table.move(isa.rows, 1, #isa.rows, 1, {})
    table.sort(rows, more_specific)
    emit_tree(rows, 0, 1)
    emit("    return false;")
    for i, text in ipairs(forms) do
        emit("form%d:", i)
        if text ~= "" then
            emit(text)
        end
        emit("    return true;")
    end
    emit("}")
end

local function write_kinds()
    emit("\n/* How a field's value is shown. */\nenum %s_kind {", prefix)
    for _, k in ipairs(isa.kinds) do
        emit("    %s_KIND_%s,", prefix:upper(), c_name(k))
    end
    emit("};")
end

local function write_fields()
    emit([[

/* A field: `width` bits are wanted for its value, of which `low` at the bottom are always 0. */
struct %s_field {
    const char *name;
    uint8_t kind, width, low, add;
    bool is_signed;
};]], prefix)
    emit("static const struct %s_field %s_fields[] = {", prefix, prefix)
    for _, f in ipairs(isa.fields) do
        emit("    {%s, %s_KIND_%s, %d, %d, %d, %s},", c_string(f.stem), prefix:upper(), c_name(f.kind),
            f.top + 1, f.low, f.add, tostring(f.signed or false))
    end
    emit("};")
end

local function write_slices()
    emit([[

/* A run of bits: `width` from `at` are bits `to` and up of a field. */
enum { %s_SLICE_FIXED = 0xff, %s_SLICE_IGNORED = 0xfe };
struct %s_slice {
    uint8_t at, width, to, field;
};]], prefix:upper(), prefix:upper(), prefix)
    emit("static const struct %s_slice %s_slices[] = {", prefix, prefix)
    local n = 0
    for _, row in ipairs(isa.rows) do
        row.first_slice = n
        for _, s in ipairs(row.slices) do
            local field = s.field and s.field.index or prefix:upper() .. "_SLICE_" .. c_name(s.kind)
            emit("    {%d, %d, %d, %s},", s.at, s.width, s.to, field)
            n = n + 1
        end
    end
    emit("};")
end

local function write_rows()
    emit("\nstatic const struct %s_row_info %s_rows[] = {", prefix, prefix)
    for _, row in ipairs(isa.rows) do
        emit("    {%s, %s, %s, 0x%x, 0x%x, %d, %s_OP_%s},", c_string(row.name), c_string(row.extension.name),
            c_string(row.doc), row.match, row.mask, row.width // 8, prefix:upper(), c_name(row.base))
    end
    emit("};")
    emit([[

/* A row's operand text, in which a byte from 0x80 up stands for a field, and its slices. */
struct %s_layout {
    const char *operands;
    uint16_t first_slice, slices;
};]], prefix)
    emit("static const struct %s_layout %s_layouts[] = {", prefix, prefix)
    for _, row in ipairs(isa.rows) do
        local text = c_string(row.template):gsub("[\x80-\xff]", function(ch)
            return ("\\%03o"):format(ch:byte())
        end)
        emit("    {%s, %d, %d},", text, row.first_slice, #row.slices)
    end
    emit("};")
    emit("\n/* By operation: the row that bears its name. */\nstatic const uint16_t %s_op_rows[] = {", prefix)
    emit("    %s_ROW_ILLEGAL,", prefix:upper())
    for _, row in ipairs(ops()) do
        emit("    %s_ROW_%s,", prefix:upper(), row.id)
    end
    emit("};")
end

local function write_names()
    local kinds = {}
    for kind in pairs(isa.names) do
        kinds[#kinds + 1] = kind
    end
    table.sort(kinds)
    if #kinds > 0 then
        emit("\nstruct %s_name {\n    unsigned number;\n    const char *name;\n};", prefix)
    end
    for _, kind in ipairs(kinds) do
        emit("\n/* Sorted by number. */\nstatic const struct %s_name %s_names_%s[] = {", prefix, prefix, kind)
        for _, n in ipairs(isa.names[kind]) do
            emit("    {0x%x, %s},", n.number, c_string(n.name))
        end
        emit("};")
    end
end

local function write_tables()
    heading()
    write_kinds()
    write_fields()
    write_slices()
    write_rows()
    write_names()
    write_match()
end

------------------------------------------------------------------------------
-- Writing the reference page

local function doc_pattern(row)
    local t = {}
    for _, part in ipairs(row.parts) do
        if part.bits then
            t[#t + 1] = part.bits
        else
            local f = part.field
            -- a field that stands in order and whole goes by its name alone
            local whole = #f.pieces == 1 and #part.piece.ranges == 1 and part.piece.ranges[1].lo == 0
            local name = f.name:find("'", 1, true) and f.name or f.stem
            t[#t + 1] = whole and not f.name:find(".", 1, true) and name or name .. part.piece.text
        end
    end
    return table.concat(t, " ")
end

local function doc_notes(row)
    local t = {}
    for _, c in ipairs(row.conditions) do
        t[#t + 1] = "`" .. c.text .. "`"
    end
    if row.is_alias then
        local set = {}
        for _, s in ipairs(row.set) do
            set[#set + 1] = " " .. s.member .. "=" .. s.value
        end
        t[#t + 1] = "is `" .. row.base .. table.concat(set) .. "`"
    end
    return table.concat(t, ", ")
end

local function cell(s)
    return (s:gsub("|", "\\|"))
end

local function write_docs()
    emit("# %s instructions", isa.title)
    emit("\n<!-- Made by scripts/decodegen.lua from %s.decode; do not edit. -->", isa.name)
    emit("\nWhat the decoder knows: %d encodings of %d operations. Patterns go from the highest bit to the",
        #isa.rows, #ops())
    emit("lowest; `-` is ignored; `imm[11:5]` are these bits of an immediate. Where two patterns match, the")
    emit("one with more fixed bits is meant. A word that matches none, or fails the conditions, is illegal.")
    emit("\n| Extension | | Encodings |\n|---|---|--:|")
    for _, e in ipairs(isa.extensions) do
        emit("| [%s](#%s) | %s | %d |", e.name, e.name:lower(), e.title, #e.rows)
    end
    for _, e in ipairs(isa.extensions) do
        emit("\n## %s\n\n%s.\n\n| Instruction | Operands | Encoding | Notes | Meaning |\n|---|---|---|---|---|", e.name, e.title)
        for _, row in ipairs(e.rows) do
            emit("| `%s` | %s | `%s` | %s | %s |", row.name, row.operands ~= "" and "`" .. row.operands .. "`" or "",
                cell(doc_pattern(row)), cell(doc_notes(row)), cell(row.doc))
        end
    end
end

------------------------------------------------------------------------------

local writers = { ["--ops"] = write_ops, ["--tables"] = write_tables, ["--docs"] = write_docs }

local function usage()
    io.stderr:write("usage: decodegen.lua [--prefix NAME] --ops|--tables|--docs TABLE OUT\n")
    os.exit(2)
end

local function main()
    local i = 1
    if arg[i] == "--prefix" then
        prefix, i = arg[i + 1] or usage(), i + 2
    end
    local writer = writers[arg[i]] or usage()
    if not arg[i + 2] then
        usage()
    end
    read_table(arg[i + 1])
    writer()
    local file = assert(io.open(arg[i + 2], "wb"))
    assert(file:write(table.concat(out, "\n"), "\n"))
    assert(file:close())
end

main()
