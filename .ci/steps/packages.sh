# The packages: NativeAOT, packing, a stranger's project, the blocks of the documentation.
# Read by .ci/run; each step_NAME runs in a shell of its own, with the root of the repository as its folder.

step_aot() {
    local project=Polly.SingleFlight.AotSmoke architecture
    architecture="$(uname -m | sed 's/x86_64/x64/; s/aarch64/arm64/')"
    rm -rf "$out/aot"
    # Microsoft's HybridCache serializes by reflection where it is given no serializer, and warns of it. Nobody else may warn.
    dotnet publish "tests/$project" -c Release -r "linux-$architecture" -o "$out/aot" -p:TreatWarningsAsErrors=false | tee "$out/aot.log"
    if grep -E 'warning [A-Z]+[0-9]+' "$out/aot.log" | grep -v 'Microsoft.Extensions.Caching.Hybrid'; then
        fail "the smoke test of AOT was published with warnings"
    fi
    start_redis
    SINGLE_FLIGHT_REDIS="$redis_address" timeout 120 "$out/aot/$project"
}

step_pack() {
    local project package
    rm -rf "$out/packages"
    for project in src/*/*.csproj; do
        dotnet pack "$project" -c Release -o "$out/packages" -warnaserror
    done
    for package in "$out"/packages/*.nupkg; do
        check_package "$package"
    done
    # The strategy stands on Polly.Core alone, the registration on the strategy and what it registers with.
    check_dependencies 'Polly.SingleFlight.[0-9]*.nupkg' "Polly.Core $(minimum PollyMinimumVersion)"
    check_dependencies 'Polly.SingleFlight.Extensions.[0-9]*.nupkg' \
        Microsoft.Extensions.Http.Resilience "Polly.Extensions $(minimum PollyMinimumVersion)" "Polly.SingleFlight $(package_version)"
    check_dependencies 'Polly.SingleFlight.Caching.[0-9]*.nupkg' \
        Microsoft.Extensions.Caching.Abstractions Microsoft.Extensions.DependencyInjection.Abstractions "Polly.SingleFlight $(package_version)"
    check_dependencies 'Polly.SingleFlight.Redis.[0-9]*.nupkg' \
        Microsoft.Extensions.Caching.Abstractions Microsoft.Extensions.DependencyInjection.Abstractions "Polly.SingleFlight $(package_version)" \
        "StackExchange.Redis $(version_of StackExchange.Redis)" "System.IO.Hashing $(version_of System.IO.Hashing)"
}

step_consume() {                        # a stranger's project, with nothing of this repository but the packages
    local package id version
    version="$(package_version)"
    folder="$(mktemp -d)"
    trap 'rm -rf "$folder"' EXIT        # a global name: the trap runs after this function has returned
    cp tests/PackageConsumer/* "$folder"
    cd "$folder"
    dotnet build -c Release -warnaserror "-p:SingleFlightVersion=$version" \
        "-p:RestoreAdditionalProjectSources=$out/packages" "-p:RestorePackagesPath=$folder/packages"
    for package in "$out"/packages/*.nupkg; do
        id="$(basename "$package" ".$version.nupkg")"
        cmp "$package" "packages/${id,,}/$version/${id,,}.$version.nupkg"
    done
    timeout 120 dotnet bin/Release/net10.0/PackageConsumer.dll
    timeout 120 dotnet bin/Release/net8.0/PackageConsumer.dll
}

step_docs() {                           # the C# blocks of the documentation, with the usings that they show, against the packages; those with an output are run
    folder="$(mktemp -d)"
    trap 'rm -rf "$folder"' EXIT
    cp tests/DocConsumer/DocConsumer.csproj Directory.Packages.props "$folder"
    dotnet run --project tests/Polly.SingleFlight.DocBlocks -- "$PWD" "$folder/blocks"
    dotnet build "$folder" -c Release -warnaserror "-p:SingleFlightVersion=$(package_version)" \
        "-p:RestoreAdditionalProjectSources=$out/packages" "-p:RestorePackagesPath=$folder/packages"
    timeout 120 dotnet "$folder/bin/Release/net10.0/DocConsumer.dll"
}

minimum() {                             # a version from the table of packages
    sed -nE "s|.*<$1>(.*)</$1>.*|\1|p" Directory.Packages.props
}

version_of() {                          # that of one package
    sed -nE "s|.*<PackageVersion Include=\"$1\" Version=\"([^\"]*)\" />.*|\1|p" Directory.Packages.props
}

only_file() {
    local files
    mapfile -t files < <(compgen -G "$1/$2" || true)
    ((${#files[@]} == 1)) || fail "expected one $2 in $1, found ${#files[@]}"
    echo "${files[0]}"
}

package_version() {                     # all packages have the same
    local package
    package="$(only_file "$out/packages" 'Polly.SingleFlight.[0-9]*.nupkg')"
    basename "${package#*/Polly.SingleFlight.}" .nupkg
}

check_dependencies() {                  # file name and all that it must depend on, for each of its two frameworks
    local package found expected
    package="$(only_file "$out/packages" "$1")"
    # Microsoft's packages without their versions, which are nobody's promise.
    found="$(unzip -p "$package" '*.nuspec' |
        sed -nE 's/.*<dependency id="([^"]*)" version="([^"]*)".*/\1 \2/p' | sed -E 's/^(Microsoft\..*) .*/\1/' | sort)"
    expected="$(printf '%s\n' "${@:2}" "${@:2}" | sort)"
    [[ "$found" == "$expected" ]] || fail "$(basename "$package") depends on"$'\n'"$found"$'\n'"instead of"$'\n'"$expected"
}

check_package() {
    local package="$1" id entries symbols nuspec framework repository
    repository="$(sed -nE 's|.*<RepositoryUrl>(.*)</RepositoryUrl>.*|\1|p' Directory.Build.props)"
    entries="$(unzip -Z1 "$package")"
    symbols="$(unzip -Z1 "${package%.nupkg}.snupkg")"
    nuspec="$(unzip -p "$package" '*.nuspec')"
    id="$(sed -nE 's|.*<id>(.*)</id>.*|\1|p' <<<"$nuspec")"
    has "$entries" README.md
    has "$entries" icon.png
    for framework in net8.0 net10.0; do
        has "$entries" "lib/$framework/$id.dll"
        has "$entries" "lib/$framework/$id.xml"
        has "$symbols" "lib/$framework/$id.pdb"
        # Built from mapped paths, so that a build can be repeated elsewhere and shows nothing of the machine.
        if unzip -p "$package" "lib/$framework/$id.dll" | grep -caF "$PWD/" >/dev/null; then
            fail "$id.dll of $framework holds the path it was built in"
        fi
    done
    has "$nuspec" '    <license type="expression">MIT</license>'
    has "$nuspec" '    <readme>README.md</readme>'
    has "$nuspec" '    <icon>icon.png</icon>'
    has "$nuspec" "    <projectUrl>$repository</projectUrl>"
    has "$nuspec" "    <releaseNotes>$repository/blob/main/CHANGELOG.md</releaseNotes>"
    grep -qF "<repository type=\"git\" url=\"$repository\"" <<<"$nuspec" || fail "$id does not name the repository"
    [[ "$(sed -nE 's|.*<version>(.*)</version>.*|\1|p' <<<"$nuspec")" =~ ^[0-9]+\.[0-9]+\.[0-9]+(-.+)?$ ]] || fail "$id has no version"
    echo "$id: readme, icon, links, two frameworks with documentation, license and symbols are there"
}

has() {
    grep -qxF -- "$2" <<<"$1" || fail "missing: $2"
}
