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
