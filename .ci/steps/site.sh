# The site: the guide and the reference of the API.
# Read by .ci/run; each step_NAME runs in a shell of its own, with the root of the repository as its folder.

step_site() {                           # built into docs/site, which is not in the repository, and looked at in Chromium
    dotnet tool restore
    rm -rf docs/api docs/site           # pages of what is no longer there
    dotnet docfx docfx.json --warningsAsErrors
    timeout 600 dotnet run --project tests/Polly.SingleFlight.BrowserCheck -- docs/site
    check_report
}

check_report() {                        # the page of the demo, in Chromium: each row has the numbers that the demo printed
    local folder printed name callers calls rest row=0 expectations=()
    folder="$(mktemp -d)"
    trap "rm -rf '$folder'" EXIT
    dotnet run --project samples/HttpClientDemo -- --speed 10 --report "$folder/report.html" >"$folder/printed"
    while IFS='|' read -r name callers calls rest; do
        row=$((row + 1))
        for printed in "1=$name" "2=$callers" "3=$calls"; do
            expectations+=(--expect "#waves tbody tr:nth-child($row) td:nth-child(${printed%%=*})=${printed#*=}")
        done
    done < <(sed -n '/^wave  .* calls  would have been/,/^$/p' "$folder/printed" | sed '1d;/^$/d' | sed -E 's/ {2,}/|/g')
    ((row == 5)) || fail "the demo printed $row rows"
    timeout 300 dotnet run --project tests/Polly.SingleFlight.BrowserCheck -- "${expectations[@]}" "$folder/report.html"
}
