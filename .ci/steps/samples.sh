# The demo and the other samples.
# Read by .ci/run; each step_NAME runs in a shell of its own, with the root of the repository as its folder.

step_demo() {
    [[ -e .ci/check-demo ]] || fail ".ci/check-demo, which runs the demo and checks what it prints, is missing"
    dotnet build samples/HttpClientDemo -warnaserror
    bash .ci/check-demo Debug
}

step_two-nodes() {                      # several processes, on Garnet inside of one of them and on redis-server
    dotnet build samples/TwoNodes -warnaserror
    bash .ci/check-two-nodes Debug
    start_redis
    bash .ci/check-two-nodes Debug "$redis_address"
}

step_web-api() {                        # a web API under load, and what Prometheus reads from it
    dotnet build samples/WebApi -warnaserror
    bash .ci/check-web-api Debug
}

step_samples() {                        # the small samples: each exits with 1 if its promise does not hold, and prints these lines
    sample_prints QuickStart \
        'without single flight: 1000 callers, 1000 calls' \
        'with single flight: 1000 callers, 4 calls, each has the token of its region: True' \
        'the leader left at once, with its own token: True; its followers have the token: True; 1 call'
    sample_prints Tokens \
        'cold start: callers 100, answers 401: 0, evictions 0, tokens requested 1' \
        'next wave: callers 100, answers 401: 0, evictions 0, tokens requested 0' \
        'token revoked: callers 100, answers 401: 100, evictions 1, tokens requested 1' \
        'late 401: callers 1, answers 401: 1, evictions 0, tokens requested 0'
    sample_prints ServiceDefaults/CatalogService \
        '100 callers, 2 requests: 99 followers, 1 retry' \
        '100 callers of 2 users, 2 requests, each has the basket of its user: True'
}

sample_prints() {                       # folder of a sample, and all that it prints
    local printed
    dotnet build "samples/$1" -warnaserror
    printed="$(timeout 120 dotnet run --project "samples/$1" --no-build)" || fail "$1 ended with exit code $?, and printed"$'\n'"$printed"
    [[ "$printed" == "$(printf '%s\n' "${@:2}")" ]] || fail "$1 printed"$'\n'"$printed"
}
