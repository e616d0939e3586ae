# The tests: Debug, Release, oldest versions, real servers.
# Read by .ci/run; each step_NAME runs in a shell of its own, with the root of the repository as its folder.

step_test-debug() {                     # the command of the README
    run_tests
}

step_build-release() {
    dotnet build -c Release -warnaserror
}

step_test-release() {
    run_tests -c Release
}

step_test-oldest() {                    # the oldest versions that the packages allow, on the library's net8.0 build, which is
    local polly resilience              # rolled forward where only a newer runtime is installed
    polly="$(minimum PollyMinimumVersion)"
    resilience="$(minimum HttpResilienceMinimumVersion)"
    test_projects_apart oldest -p:TestTargetFramework=net8.0 "-p:PollyTestVersion=$polly" "-p:HttpResilienceTestVersion=$resilience"
    ran_on '"Polly.Core/'"$polly"'"' deps
    ran_on '"Microsoft.Extensions.Http.Resilience/'"$resilience"'"' deps
    ran_on '"tfm": "net8.0"' runtimeconfig
}

ran_on() {                              # what the tests were built for, as the files beside them say
    grep -rqsF -- "$1" --include="*.Tests.$2.json" "$out/oldest/bin" || fail "the tests did not run on $1"
}

step_test-redis() {                     # the tests over a server again, on redis-server instead of the one inside the test process
    local project code=0
    start_redis
    for project in tests/Polly.SingleFlight.{Caching.RealCaches,Redis,Redis.Processes}.Tests; do
        SINGLE_FLIGHT_REDIS="$redis_address" run_tests "$project" -c Release --no-build || code=$?
    done
    [[ "$(redis-cli -p "${redis_address#*:}" info commandstats | grep -c '^cmdstat_\(hmget\|hset\|evalsha\|eval\|hmset\|hgetall\)')" -gt 0 ]] || fail "the tests did not use redis-server"
    return $code
}

step_test-cluster() {                   # what does not look at one server, on a cluster of three
    local candidate port addresses=() code=0
    cluster_folder="$(mktemp -d)"       # global names: the trap runs after this function has returned
    cluster_processes=()
    trap 'kill "${cluster_processes[@]}" 2>/dev/null || true; wait; rm -rf "$cluster_folder"' EXIT
    for candidate in $(shuf -i 20000-40000 -n 20); do
        ((${#addresses[@]} < 3)) || break
        mkdir "$cluster_folder/$candidate"
        redis-server --bind 127.0.0.1 --port "$candidate" --cluster-enabled yes --save "" --appendonly no --dir "$cluster_folder/$candidate" >"$cluster_folder/$candidate/log" 2>&1 &
        cluster_processes+=($!)
        if timeout 10 bash -c "until redis-cli -p $candidate ping 2>/dev/null | grep -q PONG; do kill -0 $! || exit 1; sleep 0.1; done"; then
            addresses+=("127.0.0.1:$candidate")
        fi
    done
    ((${#addresses[@]} == 3)) || fail "no three servers start"
    redis-cli --cluster create "${addresses[@]}" --cluster-replicas 0 --cluster-yes
    for port in "${addresses[@]#*:}"; do
        timeout 30 bash -c "until redis-cli -p $port cluster info | grep -q cluster_state:ok; do sleep 0.1; done" || fail "the cluster is not ready"
    done
    SINGLE_FLIGHT_REDIS="$(IFS=,; echo "${addresses[*]}")" run_tests tests/Polly.SingleFlight.Redis.Tests -c Release --no-build \
        --filter "FullyQualifiedName~SharingTests|FullyQualifiedName~LeaderTests|FullyQualifiedName~OutcomeTests|FullyQualifiedName~FreshnessTests|FullyQualifiedName~CacheTests" || code=$?
    return $code
}

step_soak-redis() {                     # several processes over one redis-server, with faults. A seed of its own each time, and printed.
    dotnet run -c Release --project tests/Polly.SingleFlight.Redis.Soak -- --seconds 20 --seed "$RANDOM"
}

run_tests() {                           # results go where the count looks for them; a hang is a failure, not a wait
    local code=0
    dotnet test "$@" --logger trx --results-directory "$out/results/$step" \
        --blame-hang-timeout 3m --blame-hang-dump-type none || code=$?
    compgen -G "$out/results/$step/*.trx" >/dev/null || fail "no test ran"
    return $code
}

start_redis() {                         # a server of the step's own, on a free port; ends with the step. Sets redis_address.
    local candidate
    redis_address=
    redis_folder="$(mktemp -d)"         # global names: the trap runs after this function has returned
    redis_process=
    trap 'kill $redis_process 2>/dev/null || true; rm -rf "$redis_folder"' EXIT
    for candidate in $(shuf -i 20000-40000 -n 20); do
        redis-server --bind 127.0.0.1 --port "$candidate" --save "" --appendonly no --dir "$redis_folder" >"$redis_folder/log" 2>&1 &
        redis_process=$!
        if timeout 10 bash -c "until redis-cli -p $candidate ping 2>/dev/null | grep -q PONG; do kill -0 $redis_process || exit 1; sleep 0.1; done"; then
            redis_address="127.0.0.1:$candidate"
            return
        fi
        kill $redis_process 2>/dev/null || true
    done
    fail "redis-server does not start: $(cat "$redis_folder/log")"
}

test_projects_apart() {                 # every test project in Release, in a folder of its own, so that no build state mixes
    local folder="$out/$1" project failed=0
    for project in tests/*.Tests/*.csproj; do
        # The server inside the process, Garnet, has no build for .NET 8; the same caches are tested there by the other project.
        [[ "$project" != *.RealCaches.* && "$project" != *.Redis.* ]] || continue
        run_tests "$project" -c Release --artifacts-path "$folder" "${@:2}" || failed=1
    done
    return $failed
}
