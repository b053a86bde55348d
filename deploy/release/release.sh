#!/usr/bin/env bash
# Makes the archives of a release: the program that a ministry runs, static, without the laboratory (build tag server), with
# what it is made of (sbom.cdx.json, CycloneDX), the licences of that, the roles and the time zone of ClickHouse and the alerts of Prometheus; and
# SHA256SUMS over the archives. One commit gives the same bytes, wherever and whenever it is built.
# Usage, in the tree: deploy/release/release.sh FOLDER VERSION SECONDS PLATFORM…   (linux/amd64 …; SECONDS since 1970 is the time of the commit)
set -euo pipefail
[ $# -ge 4 ] || { echo "usage: $0 FOLDER VERSION SECONDS PLATFORM…" >&2; exit 2; }
version=$2 seconds=$3 built=$(date -u -d "@$3" +%Y-%m-%dT%H:%M:%SZ)
mkdir -p "$1"
folder=$(cd "$1" && pwd)
shift 3
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
export CGO_ENABLED=0 LC_ALL=C TZ=UTC

# licences FOLDER: a folder for each module that the program links, with its licence and notices.
licences() {
  local module dir to
  go list -deps -tags server -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}}{{end}}{{end}}' . | sort -u | while read -r module dir; do
    to=$1/$module
    mkdir -p "$to"
    find "$dir" -maxdepth 1 -type f -iregex '.*/\(licen[cs]e\|copying\|notice\|authors\|patents\)[^/]*' -exec cp {} "$to" \;
    [ -n "$(ls "$to")" ] || { echo "$module has no licence" >&2; exit 1; }
  done
  mkdir -p "$1/go"
  cp "$(go env GOROOT)/LICENSE" "$1/go/"
}

for platform in "$@"; do
  export GOOS=${platform%/*} GOARCH=${platform#*/}
  name=retorno-$version-$GOOS-$GOARCH
  to=$work/$name
  mkdir -p "$to"
  go build -trimpath -buildvcs=false -tags server -ldflags "-s -w -buildid= -X retorno/deploy/command.version=$version -X retorno/deploy/command.built=$built" -o "$to/retorno" .
  licences "$to/licences"
  GOOS='' GOARCH='' GOFLAGS='-trimpath -buildvcs=false' go build -modfile=deploy/tools/sbom.mod -o "$work/sbom" github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod
  "$work/sbom" bin -json -noserial -notimestamp -version "$version" -output "$to/sbom.cdx.json" "$to/retorno"
  cp -r docs LICENSE CHANGELOG.md README.md SECURITY.md consumers/counting/reconcile/METHOD.md deploy/clickhouse/roles.sql deploy/clickhouse/timezone.xml deploy/prometheus/rules.yml "$to/"
  chmod -R u=rwX,go=rX "$to"
  tar --sort=name --format=ustar --mtime="@$seconds" --owner=0 --group=0 --numeric-owner -C "$work" -cf - "$name" | gzip -9n > "$folder/$name.tar.gz"
done
cd "$folder"
sha256sum retorno-"$version"-*.tar.gz > SHA256SUMS
cat SHA256SUMS
