-- wrk drives the form with this: each request registers another company, from another visitor.
-- Where an answer leads is written down, a line each, in a file a thread; at the end a line of
-- JSON has the sums. Without FORM_BODY it gets a page, for the yardstick.
local body, path = os.getenv("FORM_BODY"), os.getenv("FORM_PATH")
local dir, run = os.getenv("FORM_DIR"), os.getenv("FORM_RUN")
local threads = {}

function setup(thread)
  thread:set("id", #threads)
  table.insert(threads, thread)
end

function init()
  n, taken, shed, other, last = 0, 0, 0, 0, 0
  if body then out = io.open(string.format("%s/%s-%d", dir, run, id), "w") end
end

function request()
  n = n + 1
  if not body then return wrk.format("GET", path) end
  local who = string.format("%d.%d.%d.%d", 10 + id, math.floor(n / 65536) % 256, math.floor(n / 256) % 256, n % 256)
  local company = string.format("&company_domain=c%s-%d-%d.example&company_name=Company+%d", run, id, n, n)
  return wrk.format("POST", path, { ["Content-Type"] = "application/x-www-form-urlencoded", ["X-Forwarded-For"] = who }, body .. company)
end

function response(status, headers, _)
  if status == 303 then
    taken = taken + 1
    if out then out:write(headers["Location"] or "", "\n") out:flush() end
  elseif status == 503 and headers["Retry-After"] then
    shed = shed + 1
  elseif status == 200 and not body then
    taken = taken + 1
  else
    other, last = other + 1, status
  end
end

function done(summary, latency, _)
  local sum = { taken = 0, shed = 0, other = 0, last = 0 }
  for _, t in ipairs(threads) do
    for key, value in pairs(sum) do sum[key] = key == "last" and math.max(value, t:get(key)) or value + t:get(key) end
  end
  io.write(string.format('\n{"taken":%d,"shed":%d,"other":%d,"last":%d,"micros":%d,"p50":%d,"p99":%d,"errors":%d}\n',
    sum.taken, sum.shed, sum.other, sum.last, summary.duration, latency:percentile(50), latency:percentile(99),
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
