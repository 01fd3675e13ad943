-- For wrk: one request for each line of the file that BENCH_VALUES names, over and over. A line has
-- names and values of fields, with tabs between them.

local requests = {}
local place = 0

function init()
    for line in io.lines(os.getenv("BENCH_VALUES")) do
        local fields, name = { ["Host"] = "origin.example" }, nil
        for part in line:gmatch("[^\t]+") do
            if name then
                fields[name], name = part, nil
            else
                name = part
            end
        end
        requests[#requests + 1] = wrk.format("GET", "/index.html", fields)
    end
end

function request()
    place = place % #requests + 1
    return requests[place]
end
