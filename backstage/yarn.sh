#!/usr/bin/env bash
# Yarn of the version in package.json, as it is published on npm, from the registry that npm is configured with.
# Below the target folder and nowhere else: `backstage/yarn.sh install`, `backstage/yarn.sh tsc`, and so on. Sourced by
# another script, it only leaves what Yarn needs in the environment, its program in `$program`, and this folder in `$here`.
set -euo pipefail

here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
version=$(sed -nE 's/.*"packageManager": "yarn@([0-9.]+)".*/\1/p' "$here/package.json")
folder=${CARGO_TARGET_DIR:-$here/../target}/yarn-$version
program=$folder/node_modules/@yarnpkg/cli-dist/bin/yarn.js
if [[ ! -e $program ]]; then
  npm install --silent --no-save --no-audit --no-fund --prefix "$folder" "@yarnpkg/cli-dist@$version"
fi

# Yarn reads no npmrc.
configured() { (cd "$here/.." && npm config get "$1") | sed -E '/^(null|undefined)$/d; s#/$##'; }
registry=$(configured registry) certificates=$(configured cafile) proxy=$(configured https-proxy)
export YARN_NPM_REGISTRY_SERVER=${YARN_NPM_REGISTRY_SERVER:-$registry}
[[ -z $certificates ]] || export YARN_HTTPS_CA_FILE_PATH=${YARN_HTTPS_CA_FILE_PATH:-$certificates}
[[ -z $proxy ]] || export YARN_HTTPS_PROXY=${YARN_HTTPS_PROXY:-$proxy}

[[ ${BASH_SOURCE[0]} != "$0" ]] || exec node "$program" --cwd "$here" "$@"
