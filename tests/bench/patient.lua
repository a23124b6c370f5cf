-- One script for the four workloads: BENCH_WORK is read, search, create or update; ids count from 1 to BENCH_ROWS.
local work, rows, token = os.getenv("BENCH_WORK"), tonumber(os.getenv("BENCH_ROWS")), os.getenv("BENCH_TOKEN")
local headers = { ["Authorization"] = "Bearer " .. token, ["Content-Type"] = "application/fhir+json" }

local function patient(number, id)
  local head = id and ('"id":"b' .. number .. '",') or ""
  return '{"resourceType":"Patient",' .. head .. '"active":true,"identifier":[{"system":"urn:bench","value":"n' .. number ..
    '"}],"name":[{"use":"official","text":"Given' .. number .. ' Family' .. number % 997 .. '","family":"Family' .. number % 997 ..
    '","given":["Given' .. number .. '"]}],"telecom":[{"system":"phone","value":"+91 20 ' .. number ..
    '"}],"gender":"female","birthDate":"1980-02-0' .. (number % 9 + 1) ..
    '","address":[{"line":["1 Road"],"city":"Pune","state":"Maharashtra","postalCode":"411001","country":"IN"}]}'
end

function init(args) math.randomseed(os.time() + tonumber(tostring({}):sub(8)) % 1000003) end

function request()
  local number = math.random(1, rows)
  if work == "read" then return wrk.format("GET", "/fhir/Patient/b" .. number, headers) end
  if work == "search" then return wrk.format("GET", "/fhir/Patient?identifier=urn:bench%7Cn" .. number, headers) end
  if work == "create" then return wrk.format("POST", "/fhir/Patient", headers, patient(math.random(1, 1000000000), false)) end
  return wrk.format("PUT", "/fhir/Patient/b" .. number, headers, patient(number, true))
end

function done(summary, latency)
  local errors = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout
  io.write(string.format("RESULT %.0f %.2f %d\n", summary.requests / summary.duration * 1e6, latency:percentile(50) / 1000, errors))
end
