-- stub.lua - what a debugger costs: an emulator's GDB server, measured by raw packets (stub.c) and through
-- GDB itself (stub.py), on a bare program (stub_guest.S) and on a Linux that is loaded.

local stub = {}

-- What is measured.  A figure is the time of one operation; `free` names the one of the same loop without
-- a debugger, and `per` what people want to read: how many in a second, at that factor.
stub.rows = {
    { name = "attached", of = "free", doc = "guest's speed with a debugger there" },
    { name = "points_1", of = "free", doc = "... and a breakpoint never hit, in the hot page" },
    { name = "points_100", of = "free", doc = "... and 100 there" },
    { name = "points_10000", of = "free", doc = "... and 10,000, 900 of them there" },
    { name = "watch_other", of = "free", doc = "... watching another page" },
    { name = "watch_beside", of = "free", doc = "... watching the hot data's page" },
    { name = "false_condition", unit = "thousands/s", scale = 1e-3, doc = "false conditions of a breakpoint of GDB" },
    { name = "step", unit = "steps/s", scale = 1, doc = "steps by raw packets" },
    { name = "stepi", unit = "steps/s", scale = 1, doc = "GDB's stepi N" },
    { name = "dump", unit = "MiB/s", scale = 1, doc = "GDB's dump of RAM with a Linux in it" },
    { name = "dump_free", unit = "MiB/s", scale = 1, doc = "GDB's dump of RAM that is free" },
    { name = "attach_10000", unit = "/s", scale = 1, doc = "GDB's target remote with 10,000 breakpoints" },
}

local function symbols(host, build)
    local child <close> = host.spawn { "nm", build .. "/bench/stub-guest" }
    local text, out = "", {}
    while true do
        local part, why = child:read(20)
        if not part then
            assert(why == "end", "nm says nothing")
            break
        end
        text = text .. part
    end
    for address, name in text:gmatch("(%x+) %a (%S+)") do
        out[#out + 1] = name .. "=" .. address
    end
    assert(#out > 0, "nm knows no symbols of " .. build .. "/bench/stub-guest")
    return out
end

local function command(e, socket, kernel, bare)
    if e.kind == "qemu" then
        return { e.path, "-M", "virt", "-m", "512M", "-nographic", "-serial", "none", "-monitor", "none",
            "-bios", bare and "none" or "default", "-kernel", kernel, "-S", "-gdb", "chardev:gdb",
            "-chardev", "socket,path=" .. socket .. ",server=on,wait=off,id=gdb" }
    end
    return { e.path, "run", kernel, "--memory", "512M", "--gdb", "unix:" .. socket, "--wait" }
end

-- Lets a client measure an emulator with the program; calls note(name, wall, cpu) for each figure.
local function measure(host, e, socket, kernel, bare, client, timeout, note)
    os.remove(socket)
    local emulator <close> = host.spawn(command(e, socket, kernel, bare))
    local deadline = host.now() + timeout
    local argv = client(emulator.pid)
    while not host.listens(socket) do
        emulator:read(0.02)
        assert(host.now() < deadline, e.name .. " does not listen")
    end
    local child <close> = host.spawn(argv)
    local text, last = "", {}
    while true do
        local part, why = child:read(math.max(0, deadline - host.now()))
        if not part then
            assert(why == "end", argv[1] .. " is not done with " .. e.name)
            break
        end
        text = text .. part
    end
    assert(child:wait() == 0, argv[1] .. " failed with " .. e.name .. ": " .. text:sub(-500))
    for name, wall, cpu in text:gmatch("STUB (%S+) (%S+) (%S+)") do
        last[name] = { tonumber(wall), tonumber(cpu) } -- the last of a name counts
    end
    for name, t in pairs(last) do
        note(name, t[1], t[2])
    end
end

-- One emulator, once.  o has host, build, here (where stub.py is), dir (of the guest's kernel), size, timeout.
function stub.measure(e, o, tell)
    local noted = {}
    local function note(name, wall, cpu)
        noted[name] = true
        tell(name, wall, cpu)
    end
    local bare, socket = o.build .. "/bench/stub-guest", o.build .. "/bench/stub.sock"
    local function gdb(file, ...)
        local tasks = "'" .. table.concat({ ... }, "', '") .. "'"
        return function(pid)
            return { "gdb-multiarch", "-nx", "-q", "-batch", "-ex",
                ("python argv = ['%s', '%d', '%d', %s]"):format(socket, pid, o.size, tasks),
                "-x", o.here .. "/stub.py", file }
        end
    end
    local function raw(pid)
        return table.move(symbols(o.host, o.build), 1, 99, 5,
            { o.build .. "/bench/stub", socket, tostring(pid), tostring(o.size) })
    end
    measure(o.host, e, socket, bare, true, raw, o.timeout, note)
    measure(o.host, e, socket, bare, true, gdb(bare, "false_condition", "stepi", "attach"), o.timeout, note)
    measure(o.host, e, socket, o.dir .. "/Image", false, gdb(nil, "dump"), o.timeout, note)
    os.remove(socket)
    for _, r in ipairs(stub.rows) do
        assert(noted[r.name], ("no figure of %s: %s"):format(e.name, r.name))
    end
end

return stub
