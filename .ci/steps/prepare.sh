# What the other steps need, and what must hold of the tree.
# Read by .ci/run; each step_NAME runs in a shell of its own, with the root of the repository as its folder.

step_tools() {                          # what linking native code, looking into packages and looking at pages need
    local missing=()
    command -v clang >/dev/null || command -v gcc >/dev/null || missing+=(clang)
    [[ -e /usr/include/zlib.h ]] || missing+=(zlib1g-dev)
    command -v curl >/dev/null || missing+=(curl)
    command -v git >/dev/null || missing+=(git)
    command -v unzip >/dev/null || missing+=(unzip)
    command -v redis-server >/dev/null || missing+=(redis-server)
    command -v chromium >/dev/null || command -v google-chrome >/dev/null || missing+=(chromium)
    if ((${#missing[@]} > 0)); then
        command -v apt-get >/dev/null || fail "install ${missing[*]} first"
        ((EUID == 0)) || fail "not root: install first with apt-get install ${missing[*]}"
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq
        apt-get install -y -qq --no-install-recommends "${missing[@]}"
    fi
    dotnet --version
}

step_mutations() {                      # that they can be made; making them takes too long here, and a build of its own for each
    bash tests/mutations/run --check
}

step_restore() {
    dotnet restore -warnaserror
}

step_format() {
    dotnet format --verify-no-changes
}

step_benchmarks() {                     # that they build and start; their numbers are not for a shared machine
    dotnet run -c Release --project benchmarks/Polly.SingleFlight.Benchmarks -- --quick --only bypass
}

step_clean-tree() {                     # a run leaves nothing behind that git would see
    diff "$out/status-before" <(git_status) || fail "these files were not there, or were different, when the run began"
}

step_skips() {
    local name unexpected=0
    while read -r name; do
        if printf '%s\n' "${allowed_skips[@]-}" | grep -qxF -- "$name"; then
            continue
        fi
        echo "skipped without leave: $name"
        unexpected=1
    done < <(find "$out/results" -name '*.trx' -exec grep -ho '<UnitTestResult [^>]*outcome="NotExecuted"' {} + |
        sed -E 's/.* testName="([^"]*)".*/\1/' | sort -u)
    return $unexpected
}
