-- initramfs.lua - adds programs to an initramfs.
--
-- What comes out is the initramfs as it is, and behind it an uncompressed cpio archive ("newc").
-- Linux unpacks archives that follow each other; one that is not compressed has to start at a
-- multiple of 4 bytes.

local function read(path)
    local f = assert(io.open(path, "rb"))
    local data = f:read("a")
    f:close()
    return data
end

local function pad(data)
    return data .. ("\0"):rep(-#data % 4)
end

local function entry(inode, path, mode, data)
    local head = ("070701" .. ("%08X"):rep(13)):format(inode, mode, 0, 0, 1, 0, #data, 0, 0, 0, 0,
        #path + 1, 0)
    return pad(head .. path .. "\0") .. pad(data)
end

-- programs: { { path, file }, ... }; each file becomes an executable at its path (without the leading
-- slash), the directories above it are made.
return function(base, out, programs)
    local parts, made = { pad(read(base)) }, {}
    local function add(path, mode, data)
        parts[#parts + 1] = entry(#parts, path, mode, data)
    end
    for _, p in ipairs(programs) do
        for at in p[1]:gmatch("()/") do
            local dir = p[1]:sub(1, at - 1)
            if not made[dir] then
                made[dir] = true
                add(dir, tonumber("40755", 8), "")
            end
        end
        add(p[1], tonumber("100755", 8), read(p[2]))
    end
    add("TRAILER!!!", 0, "")
    local f = assert(io.open(out, "wb"))
    f:write(table.concat(parts))
    assert(f:close())
end
