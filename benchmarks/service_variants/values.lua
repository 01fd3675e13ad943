-- For wrk: one request for each line of the file that BENCH_VALUES names, over and over.

local requests = {}
local place = 0

function init()
    for value in io.lines(os.getenv("BENCH_VALUES")) do
        requests[#requests + 1] = wrk.format("GET", "/index.html", { ["Edge-Auth"] = value })
    end
end

function request()
    place = place % #requests + 1
    return requests[place]
end
